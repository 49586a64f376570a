"""What the tour says, in Chinese and English. Floor: cli."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("客户档案导览", "A tour of a customer archive 客户档案"),
    "files": (
        "{customers} 位客户, {orders} 张订单; 无主的行: {adrift}",
        "{customers} customers and {orders} orders in the files; rows that belong to nobody: {adrift}",
    ),
    "clock": (
        "时钟可注入: 导览从 {start} 演到 {today}, 于是过去真的记录在过去.",
        "The clock is an argument: the tour plays from {start} to {today}, so the past is recorded in the past.",
    ),
    "register": ("登记: 一个客户一份档案", "Register 登记: one customer, one file"),
    "registered": (
        "登记 {count} 份, 编号 {first} … {last}; 不接受的: {refused}",
        "{count} files, numbers {first} … {last}; refused: {refused}",
    ),
    "claims": ("三个来源说同一件事", "Three sources 来源 speak of one fact"),
    "claims_note": (
        "{name} 的 {year} 年销售额 (三个数字是为导览编的):",
        "the sales of {name} in {year} (these three figures are made up for the tour):",
    ),
    "visit": ("{day} 拜访记下 {said}; 卡上显示 {shown}", "{day} a visit 拜访 notes {said}; the card shows {shown}"),
    "form": (
        "{day} 客户自填 {said}; 卡上仍是 {shown}: 规模由自己说, 可信度最低",
        "{day} the customer's own form says {said}; the card still shows {shown} (on one's own size one ranks last)",
    ),
    "agency": (
        "{day} 调查机构核得 {said}; 卡上改为 {shown}",
        "{day} an agency 调查机构 found {said}; now the card shows {shown}",
    ),
    "nothing_lost": ("没有一个说法被覆盖:", "Nothing was overwritten:"),
    "channel": ("渠道", "channel"),
    "told_by": ("谁说的", "told by"),
    "value": ("内容", "value"),
    "recorded": ("记录日", "recorded"),
    "on_card": ("卡上", "on the card"),
    "orders": ("业务记录: 订单", "Records 业务记录: the orders"),
    "entered": (
        "登记 {orders} 张订单, 其中 {late} 张迟交. 从档案读回: {customers} 位客户, {times} 次交易, 合计 {total}",
        "{orders} orders entered, {late} of them late. "
        "Read back from the archive: {customers} customers, {times} orders, {total} in all",
    ),
    "views": ("同一份档案, 三个角色", "One file, three roles"),
    "service": ("服务人员, 目的: 服务", "service, purpose: serve"),
    "manager": ("经理, 目的: 管理", "manager, purpose: manage"),
    "sales": ("业务人员查阅: {refusal}", "sales asks for the file: {refusal}"),
    "find": ("查找", "Find 查找"),
    "find_part": ("名称中有 “{part}”: {count} 份", 'part of a name "{part}": {count} found'),
    "find_top": ("交易金额最大的三家:", "the three with the greatest amounts:"),
    "history": ("历史与当时所知", "History 历史, and what was known then"),
    "revision": ("修订", "revision"),
    "by": ("谁", "by"),
    "verb": ("做了什么", "verb"),
    "through": ("渠道", "channel"),
    "said": ("涉及", "about"),
    "then": (
        "销售额, 按 {then} 所知: {old}; 按 {today} 所知: {new}",
        "sales as known on {then}: {old}; as known on {today}: {new}",
    ),
    "ledger": ("日志: 谁看过, 从不记内容", "Ledger 日志: who looked, never what it said"),
    "verified": (
        "{events} 条事件, {lanes} 条通道, 链条完整. 最后几条:",
        "{events} events in {lanes} lane(s), the chain is whole. The last ones:",
    ),
    "outcome": ("结果", "outcome"),
    "files_seen": ("涉及档案", "files"),
    "digest": ("整个档案库的摘要: {digest}", "digest of the whole archive: {digest}"),
    "next": ("接下来", "What next"),
    "kept": (
        "档案库留在 {place}; 在 Python 里: ds.open({place!r})",
        "The archive is at {place}; in Python: ds.open({place!r})",
    ),
    "try_keep": (
        "dossier tour --keep tour.db      留下档案库自己看",
        "dossier tour --keep tour.db    keep the archive",
    ),
    "try_data": (
        "dossier tour --data 文件夹       用你自己的文件",
        "dossier tour --data FOLDER     use your own files",
    ),
    "try_lang": ("dossier tour --lang en           in English", "dossier tour --lang zh         用中文看一遍"),
    "try_docs": (
        "docs/tutorial/first-archive.md   自己写第一份档案",
        "docs/tutorial/first-archive.md write your first archive",
    ),
    "taboo": ("周日不送货", "no deliveries on Sundays"),
    "hearing": ("联系人听力不好, 宜书面联系", "the contact is hard of hearing: write, do not call"),
    "talk": ("谈到明年的采购", "talked about next year's purchases"),
}
"""Key → (zh, en), templates."""
