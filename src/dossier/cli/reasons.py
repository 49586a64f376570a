"""What can be wrong with a command: code → (zh, en, remedy zh, remedy en). Floor: cli.

Facts are names of options, positions and limits, never what was typed (K3).
"""

from __future__ import annotations

from typing import Final

from dossier.errors import Problem

TEXTS: Final[dict[str, tuple[str, str, str, str]]] = {
    "cli.usage": (
        "命令写法有误: {what}",
        "the command is not understood: {what}",
        "{command} --help 列出可写的选项",
        "see {command} --help",
    ),
    "cli.input": (
        "{what}",
        "{what}",
        "更正后重试",
        "correct it and try again",
    ),
    "cli.file": (
        "文件不能读写 ({what})",
        "a file cannot be read or written ({what})",
        "核对路径、权限和剩余空间",
        "check the path, its permissions and the room that is left",
    ),
    "cli.interrupted": (
        "已中断; 未完成的部分没有写入",
        "interrupted; nothing was left half-written",
        "再次运行同一命令即可继续",
        "run the same command again to go on",
    ),
    "cli.fault": (
        "程序自身出错 ({what})",
        "a fault of the program itself ({what})",
        "请报告所用的命令和 dossier doctor --json 的输出",
        "report the verb you used and what dossier doctor --json says",
    ),
    "cli.plan": (
        "没有这个导入方案; 随附的方案: {plans}",
        "there is no such plan; those that come along: {plans}",
        "给出方案文件 (.toml), 或写随附方案的名称; 最接近的是 {nearest}",
        "give a plan file (.toml) or the name of one that comes along; the nearest is {nearest}",
    ),
    "cli.file_missing": (
        "没有这个文件",
        "there is no such file",
        "核对路径",
        "check the path",
    ),
    "cli.file_folder": (
        "这是文件夹, 不是文件",
        "this is a folder, not a file",
        "逐个给出其中的文件, 如 TABLE=FILE",
        "give the files in it, as TABLE=FILE",
    ),
    "cli.table_unknown": (
        "方案中没有这张表; 方案的表: {tables}",
        "the plan has no such table; those it has: {tables}",
        "写成 TABLE=FILE; 最接近的是 {nearest}",
        "write TABLE=FILE; the nearest is {nearest}",
    ),
    "cli.memory": (
        "内存中的档案库随命令结束而消失",
        "an archive in memory is gone when the command ends",
        "给出路径, 如 hotel.db",
        "give a path, such as hotel.db",
    ),
    "cli.enrol": (
        "只许在册人员行事, 而无一人登记: 将无人能用",
        "only enrolled staff may act, and nobody is enrolled: nobody could use it",
        "加上 --enrol NAME ROLE; 以后登记其他人用 archive.staff.enrol",
        "add --enrol NAME ROLE; others are enrolled later with archive.staff.enrol",
    ),
    "cli.no_backup": (
        "这不是 dossier backup 做的备份, 而是一个档案库: 恢复后会有两个编号相同的档案库",
        "this is no backup made by dossier backup but an archive: there would be two with one id",
        "另建一个档案库用 dossier copy; 若是用别的办法复制的备份, 加上 --unmarked",
        "dossier copy makes another archive of it; if it is a backup that was copied by other means, add --unmarked",
    ),
    "cli.role": (
        "档案库没有这个角色; 其角色: {roles}",
        "the archive has no such role; those it has: {roles}",
        "写其中一个; 最接近的是 {nearest}",
        "write one of them; the nearest is {nearest}",
    ),
    "cli.records": (
        "没有这种业务记录; 种类: {kinds}",
        "there is no such kind of records; the kinds: {kinds}",
        "写其中一种; 最接近的是 {nearest}",
        "write one of them; the nearest is {nearest}",
    ),
    "cli.records_all": (
        "一次只能导出一种业务记录: 各种的列不同",
        "records are exported one kind at a time: each has columns of its own",
        "写其中一种: {kinds}",
        "write one of: {kinds}",
    ),
    "cli.then": (
        "那时档案中还没有它",
        "nothing was known of it then",
        "另给一个时间; 不带 --known 的 dossier history 列出全部行为",
        "give another time; dossier history without --known lists all acts",
    ),
    "cli.folder": (
        "所在文件夹不存在",
        "the folder it would lie in does not exist",
        "先建立文件夹, 或换一个位置",
        "make the folder first, or use another place",
    ),
    "cli.table": (
        "同一张表给了两个文件: {table}",
        "table {table} is given two files",
        "每张表给一个文件, 如 {table}=FILE",
        "give one file a table, as in {table}=FILE",
    ),
    "cli.tables": (
        "多个文件须写明各是哪张表; 方案的表: {tables}",
        "several files need the names of their tables; those of the plan: {tables}",
        "写成 TABLE=FILE",
        "write TABLE=FILE",
    ),
    "cli.secret": (
        "命令行中不得写密码: 本机其他用户都看得见",
        "an address on the command line holds a password, and every user of this machine sees it",
        "只写用户名, 密码由终端询问或取自环境变量 {variable}",
        "name the user only; the password is asked for on a terminal or taken from {variable}",
    ),
    "cli.password": (
        "没有密码, 也没有终端可以询问",
        "there is no password, and no terminal on which to ask for it",
        "把密码放入环境变量 {variable}",
        "put it into the environment variable {variable}",
    ),
    "cli.create_options": (
        "{option} 只在 --create 建立新档案库时有用",
        "{option} says how a new archive is made, and --create was not said",
        "去掉它, 或加上 --create",
        "leave it out, or add --create",
    ),
    "cli.differs": (
        "档案库已经存在, 其 {option} 与所给的不同",
        "the archive exists, and its {option} is another",
        "去掉 {option}: 它在建立时已定",
        "leave {option} out: it was settled when the archive was made",
    ),
    "where.expected": (
        "第 {place} 个字符处应为 {wanted_zh}",
        "character {place}: expected {wanted_en}",
        "写法见 docs/reference/cli/index.md, 如 'basic/industry = 茶叶 and not kind = person'",
        "see docs/reference/cli/index.md; for example 'basic/industry = 茶叶 and not kind = person'",
    ),
    "where.quote": (
        "第 {place} 个字符处的引号没有结束",
        "character {place}: this quotation mark is never closed",
        '补上引号; 文字中的引号写作 \\"',
        'close it; a quotation mark within a text is written \\"',
    ),
    "where.whole": (
        "{field} 须与整数相比",
        "{field} is compared with a whole number",
        "写成 3 这样的整数",
        "write a whole number such as 3",
    ),
    "where.deep": (
        "条件过长: 至多 {limit} 个比较或层次",
        "the condition is too long: at most {limit} comparisons or levels",
        "用 in (…) 合并, 或分几次查找",
        "put values together with in (…), or ask several times",
    ),
    "doctor.numbers": (
        "档案库由备份恢复, 登记在等候起始编号",
        "this archive was restored from a backup; registering waits to be told where numbers go on",
        "下次 dossier import 或 dossier.open 时给出下一个序号 (--numbers-from, numbers_from=)",
        "name the next serial with the next dossier import (--numbers-from) or dossier.open (numbers_from=)",
    ),
    "doctor.index": (
        "索引由另一版本的程序写成, 尚未更新",
        "the indexes were written by another version of the program",
        "运行 dossier reindex ARCHIVE",
        "run dossier reindex ARCHIVE",
    ),
    "doctor.lanes": (
        "{count} 条读取日志尚未并入档案库",
        "{count} lanes of read events are not folded into the archive yet",
        "下次以写方式打开时自动并入, 如 dossier reindex ARCHIVE",
        "whoever opens it for writing next folds them, as dossier reindex ARCHIVE does",
    ),
    "doctor.network": (
        "档案库位于网络文件系统 ({what}), 锁不可靠",
        "the archive lies on a network file system ({what}), where locks cannot be relied on",
        "移到本机磁盘: dossier copy ARCHIVE 本机路径",
        "move it to a local disk: dossier copy ARCHIVE PATH",
    ),
    "doctor.room": (
        "剩余空间 {free} MiB, 不足以再放一份 ({size} MiB)",
        "{free} MiB are left, too few for another copy of it ({size} MiB)",
        "腾出空间, 或把备份放到另一块磁盘",
        "make room, or keep backups on another disk",
    ),
    "doctor.writable": (
        "不能写入档案库所在的位置",
        "the archive cannot be written where it lies",
        "检查文件和文件夹的权限",
        "check the permissions of the file and its folder",
    ),
    "plugins.what": (
        "{action}: 参数的个数不对",
        "{action} takes another number of words",
        "list 不带参数, check 带一个地址或 MODULE:DRIVER, new 带一个名称",
        "list takes none, check an address or MODULE:DRIVER, new a name",
    ),
    "plugins.name": (
        "不能用作名称",
        "no name for a repository",
        "2 至 30 个小写字母或数字, 以字母开头",
        "2 to 30 small letters or digits, a letter first",
    ),
    "plugins.folder": (
        "文件夹已存在",
        "the folder is there already",
        "换一个名称或文件夹",
        "take another name, or another place",
    ),
    "plugins.testing": (
        "缺少附加组件 testing",
        "the extra testing is missing",
        'pip install "dossier-archive[testing]"',
        'pip install "dossier-archive[testing]"',
    ),
    "plugins.pytest": (
        "契约试验未能运行 (pytest 退出码 {what})",
        "the contract could not be run (pytest ended with {what})",
        "用 pytest --pyargs dossier.testing.conformance --dossier-repository WHAT 查看原因",
        "see why with pytest --pyargs dossier.testing.conformance --dossier-repository WHAT",
    ),
}  # fmt: skip

REMEDIES: Final[dict[str, tuple[str, str]]] = {
    "input.invalid": (
        "更正下列各处后重试, 未写入任何内容",
        "correct what is listed below and try again; nothing was written",
    ),
    "numbers.unsettled": (
        "用 --numbers-from N 给出下一个序号",
        "name the next serial with --numbers-from N",
    ),
    "repository.exists": ("换一个位置", "give another place"),
    "repository.missing": (
        "核对路径; 或用 dossier create, dossier import --create 建立",
        "check the path, or make it with dossier create or dossier import --create",
    ),
    "repository.read_only": (
        "检查权限; 查阅只读的媒介和备份用 --read-only --reads FOLDER (可写的文件夹); 所在文件夹不可写时先复制到别处",
        "check its permissions; for backups and media that cannot be written say --read-only and --reads FOLDER, a"
        " folder that can; where the file's own folder cannot be written, copy the file elsewhere first",
    ),
    "repository.unsupported": (
        "用 dossier copy 复制到文件",
        "copy it to a file with dossier copy",
    ),
}
"""Remedies of the library that speak to a programmer, as the command says them: code → (zh, en)."""


def reason(code: str, path: str, **facts: str | int) -> Problem:
    """The `Problem` of a `code` at `path`."""
    zh, en, fix_zh, fix_en = (text.format_map(facts) for text in TEXTS[code])
    return Problem(code=code, path=path, zh=zh, en=en, fix_zh=fix_zh, fix_en=fix_en)


__all__ = ["REMEDIES", "TEXTS", "reason"]
