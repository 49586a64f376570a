"""Why a file, a sheet or a row is not taken: code → (zh, en, remedy zh, remedy en). Floor: intake.

Facts are names of the plan, counts and limits, never what a cell holds (K3). Codes of single values are those of
`model.catalogue`.
"""

from __future__ import annotations

from dossier.errors import Problem
from dossier.model.problems import CATALOGUE

TEXTS: dict[str, tuple[str, str, str, str]] = {
    # of rows
    "intake.error_cell": (
        "{column} 列是出错的公式",
        "column {column} holds a formula error",
        "在来源中更正公式后重新导入",
        "correct the formula in the source and import again",
    ),
    "intake.null_word": (
        "{column} 列写着 NULL 一类的词",
        "column {column} holds a word such as NULL",
        '若表示空白, 在方案中写 null = ["NULL"]; 否则更正',
        'if it means blank, say null = ["NULL"] in the plan; else correct it',
    ),
    "intake.lost_digits": (
        "{column} 列的编号或号码被存成了数字, 可能已丢位",
        "column {column}: an id or text was kept as a number; digits may be lost",
        "在来源中设为文本格式; 确为整数编号时在方案中写 integer_text = true",
        "make the column text in the source; if it is a whole number, say integer_text = true in the plan",
    ),
    "intake.padded": (
        "{column} 列的编号前后有空格",
        "column {column}: the key has blanks around it",
        "更正来源, 或在方案中写 strip = true",
        "correct the source, or say strip = true in the plan",
    ),
    "intake.no_key": (
        "{column} 列没有客户编号, 不知属于谁",
        "column {column} is blank: nobody knows whose row this is",
        "补上客户编号后重新导入",
        "fill in the customer's id and import again",
    ),
    "intake.orphan": (
        "{table} 中没有对应的行",
        "no row of {table} belongs to it",
        "补上对应的行后重新导入",
        "add the row it belongs to and import again",
    ),
    "intake.ambiguous": (
        "{table} 中有 {count} 个客户与之对应, 不作猜测",
        "{count} customers of {table} fit; none is guessed",
        "补上能区分客户的一列并写入 join.on",
        "add a column that tells them apart and name it in join.on",
    ),
    "intake.collision": (
        "各行的 {field} 不一致",
        "the rows disagree about {field}",
        "更正来源, 或在方案中另选 collide",
        "correct the source, or choose another collide in the plan",
    ),
    "intake.duplicate": (
        "与前面的一行完全相同",
        "this row equals an earlier one",
        "确认来源是否重复; 是否计入由方案的 duplicates 决定",
        "see whether the source repeats it; duplicates in the plan says whether it counts",
    ),
    "intake.map": (
        "{column} 列的词不在对照表中",
        "column {column}: the word is not in the map of the plan",
        "补入 map, 或给出 otherwise",
        "add it to map, or give otherwise",
    ),
    "intake.date": (
        "{column} 列不是方案所写格式的日期",
        "column {column}: no date of the format in the plan",
        "核对来源或 format",
        "check the source or format",
    ),
    "intake.width": (
        "该行有 {got} 格, 表头有 {expected} 格",
        "the row has {got} cells, the header {expected}",
        "检查多余或缺少的分隔符和引号",
        "look for a separator or quote too many or too few",
    ),
    "intake.csv": (
        "该行的引号或长度不合 CSV 的写法",
        "quotes or length of this row are not those of CSV",
        "检查引号是否成对",
        "look for a quote that is not closed",
    ),
    "intake.undecodable": (
        "该行不是 {encoding} 编码",
        "this row is not {encoding}",
        "统一文件的编码后重新导入该行",
        "bring the file to one encoding and import the row again",
    ),
    "intake.merged_row": (
        "该行在合并单元格之内, 所缺的值不作猜测",
        "the row lies within merged cells; what is missing is not guessed",
        '取消合并并填满, 或在方案中写 merged = "fill"',
        'unmerge and fill the cells, or say merged = "fill" in the plan',
    ),
    "intake.record_state": (
        "记录已在他处推进, 不能再转为 {state}",
        "the record has moved on; its state cannot become {state}",
        "查阅该记录后手工办理",
        "look at the record and follow it up by hand",
    ),
    "intake.refused": (
        "档案库不接受: {code}",
        "the archive does not accept it: {code}",
        "见错误码说明",
        "look the code up in the reference of errors",
    ),
    # of files and sheets
    "intake.missing": ("没有该文件", "there is no such file", "核对路径", "check the path"),
    "intake.format": (
        "不是能读的表格: 只读 .csv .tsv .txt (可为 .gz) .xlsx .xlsm .xls .xlsb .ods",
        "no table that can be read: .csv .tsv .txt (also .gz), .xlsx .xlsm .xls .xlsb .ods",
        "另存为其中一种",
        "save it as one of them",
    ),
    "intake.excel": (
        "读取工作簿需要附加组件",
        "reading workbooks needs an extra",
        'pip install "dossier-archive[excel]"',
        'pip install "dossier-archive[excel]"',
    ),
    "intake.encoding": (
        "不能确定编码, 可能是: {candidates}",
        "the encoding is not certain; it may be: {candidates}",
        '在方案的该表中写 encoding = "…"',
        'say encoding = "…" for the table in the plan',
    ),
    "intake.codec": ("不认识编码 {encoding}", "the encoding {encoding} is not known", "核对名称", "check the name"),
    "intake.damaged": (
        "文件不完整或已损坏; 未导入其中任何一行",
        "the file is cut off or damaged; no row of it was imported",
        "重新取得完整的文件",
        "get the whole file again",
    ),
    "intake.bomb": (
        "解压后过大 (上限 {limit} MB)",
        "it unpacks to too much (limit {limit} MB)",
        "核对来源; 确有这么大时拆分",
        "check where it comes from; split it if it is really that large",
    ),
    "intake.columns": (
        "有 {count} 列, 上限 {limit}",
        "it has {count} columns; the limit is {limit}",
        "核对分隔符",
        "check the delimiter",
    ),
    "intake.line_long": (
        "有一行超过 {limit} 个字符",
        "a line is longer than {limit} characters",
        "核对文件是否为表格",
        "see whether the file is a table",
    ),
    "intake.empty": ("没有任何行", "there are no rows", "核对文件和工作表", "check the file and the sheet"),
    "intake.no_sheets": (
        "工作簿中没有可读的工作表",
        "no sheet of the workbook can be read",
        "在表格软件中另存为普通 .xlsx 后重试",
        "save it as an ordinary .xlsx with a spreadsheet program",
    ),
    "intake.sheet": (
        "没有名为 {sheet} 的工作表",
        "there is no sheet named {sheet}",
        '在方案中写 sheet = "…"',
        'correct sheet = "…" in the plan',
    ),
    "intake.column": (
        "没有 {column} 这一列; 最接近的是 {nearest}",
        "there is no column {column}; the nearest is {nearest}",
        "更正方案中的列名",
        "correct the name in the plan",
    ),
    "intake.no_column": (
        "没有 {column} 这一列",
        "there is no column {column}",
        "更正方案中的列名; 文件不是表 {table} 时, 写明各文件是哪张表 (TABLE=FILE)",
        "correct the name in the plan; where the file is not the table {table}, say which it is (TABLE=FILE)",
    ),
    "intake.header": (
        "表头中 {column} 出现多次",
        "the header has {column} more than once",
        "改名后重试",
        "rename one of them",
    ),
    "intake.exists": (
        "{what} 已存在, 不会覆盖",
        "{what} exists and is not overwritten",
        "换一个名称",
        "choose another",
    ),
    # of plans
    "intake.toml": ("方案不是合法的 TOML", "the plan is no valid TOML", "核对第 {line} 行", "look at line {line}"),
    "intake.key": (
        "方案中没有 {name} 这一项; 最接近的是 {nearest}",
        "the plan knows no {name}; the nearest is {nearest}",
        "改为 {nearest}, 或去掉",
        "use {nearest}, or drop it",
    ),
    "intake.value": (
        "应为 {expected}",
        "expected {expected}",
        "更正方案",
        "correct the plan",
    ),
    "intake.required": ("缺少 {name}", "{name} is missing", "补上 {name}", "give {name}"),
    "intake.files": (
        "没有给出表 {table} 的文件",
        "no file is given for the table {table}",
        "以 {{表名: 路径}} 给出",
        "give it as {{table: path}}",
    ),
    # notices: nothing is lost, but somebody should know
    "intake.merged": (
        "有 {count} 处合并单元格",
        "there are {count} merged ranges",
        '取消合并, 或在方案中写 merged = "fill"',
        'unmerge them, or say merged = "fill" in the plan',
    ),
    "intake.hidden": (
        "工作表是隐藏的, 未读取",
        "the sheet is hidden and was not read",
        "需要时在方案中点名",
        "name it in the plan if it is wanted",
    ),
    "intake.hidden_read": (
        "工作表是隐藏的, 因方案点名而读取",
        "the sheet is hidden; it was read because the plan names it",
        "核对是否应当导入",
        "see whether it is meant to be imported",
    ),
    "intake.unused": (
        "有 {count} 列未被方案使用",
        "{count} columns are not used by the plan",
        "需要时补入方案",
        "add them to the plan if they are wanted",
    ),
}


def reason(code: str, path: str, /, **facts: str | int) -> Problem:
    """The `Problem` of a code at a place; codes of single values come from the catalogue of the model."""
    known = TEXTS.get(code)
    if known is None:
        texts = CATALOGUE.get(code)
        if texts is None:
            return reason("intake.refused", path, code=code)
        known = texts
    zh, en, fix_zh, fix_en = (text.format_map(_Facts(facts)) for text in known)
    return Problem(code=code, path=path, zh=zh, en=en, fix_zh=fix_zh, fix_en=fix_en)


class _Facts(dict[str, str | int]):
    def __missing__(self, key: str) -> str:
        return "-"
