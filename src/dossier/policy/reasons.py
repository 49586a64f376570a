"""What can be wrong with a policy: code → (zh, en, remedy zh, remedy en). Floor: policy.

Facts are ids of rules, names of the policy and of the library: a policy holds nothing of a customer.
"""

from __future__ import annotations

from dossier.errors import Problem

TEXTS: dict[str, tuple[str, str, str, str]] = {
    "policy.file": ("读不到制度文件", "the policy file cannot be read", "核对路径", "check the path"),
    "policy.toml": (
        "不是 TOML: 第 {line} 行", "this is no TOML: line {line}", "更正该行", "correct that line",
    ),
    "policy.key": (
        "没有 {name} 这一项, 最接近的是 {nearest}", "there is no {name}; the nearest is {nearest}",
        "改名或删去", "rename or remove it",
    ),
    "policy.required": ("缺少 {name}", "{name} is missing", "补上", "add it"),
    "policy.type": ("应为{expected}", "expected {expected}", "换成{expected}", "give {expected}"),
    "policy.word": (
        "{what} 没有这个词, 最接近的是 {nearest}", "no such word for {what}; the nearest is {nearest}",
        "用 {words}", "use one of {words}",
    ),
    "policy.field": (
        "没有这项资料, 最接近的是 {nearest}", "there is no such field; the nearest is {nearest}",
        "用 docs/reference/fields.md 中的路径", "use a path of docs/reference/fields.md",
    ),
    "policy.flag": (
        "没有资料带这个标记, 最接近的是 {nearest}", "no field has this flag; the nearest is {nearest}",
        "用 docs/reference/fields.md 中的标记", "use a flag of docs/reference/fields.md",
    ),
    "policy.atom": (
        "没有这个条件, 最接近的是 {nearest}", "there is no such condition; the nearest is {nearest}",
        "用 {words}", "use one of {words}",
    ),
    "policy.args": (
        "条件 {atom} 的参数应为: {expected}", "the condition {atom} takes: {expected}", "更正参数", "correct them",
    ),
    "policy.nobody": (
        "规则 {rule} 没有指明角色", "rule {rule} names no role", "写 kinds 或 roles", "give kinds or roles",
    ),
    "policy.nothing": (
        "规则 {rule} 的 {what} 为空, 永不生效", "rule {rule} names no {what} and can never fire",
        "补上或删去规则", "fill it in or remove the rule",
    ),
    "policy.twice": (
        "编号 {rule} 用了两次, 内容不同", "the id {rule} stands for two different things",
        "另取编号", "give it another id",
    ),
    "policy.contradiction": (
        "规则 {rule} 的条件互相矛盾: {atoms}", "the conditions of rule {rule} contradict each other: {atoms}",
        "去掉其一, 或分成两条规则", "drop one, or make two rules of it",
    ),
    "policy.idle": (
        "规则 {rule} 不改变任何决定", "rule {rule} changes no decision",
        "删去, 或看是哪条规则已经包含它", "remove it, or look which other rule says the same or forbids it",
    ),
    "policy.profile": (
        "规则 {rule} 发放给 {recipient}, 但没有发放方案覆盖这些资料",
        "rule {rule} releases to {recipient} what no release profile covers",
        "补上 profiles, 或收窄规则", "add a profile, or narrow the rule",
    ),
    "policy.approver": (
        "方案 {profile} 的批准人须为 {words}", "the approvers of profile {profile} are some of: {words}",
        "更正 approver", "correct approver",
    ),
    "policy.recall": (
        "方案 {profile} 发放三项以外的资料, 须有回收期限",
        "profile {profile} gives more than the three fields of M124 and needs recall_within",
        "写 recall_within (天)", "give recall_within (days)",
    ),
    "policy.glass": (
        "break_glass 须指明角色和 1 到 1440 分钟", "break_glass names roles and 1 to 1440 minutes",
        "更正", "correct it",
    ),
    "policy.waiting": (
        "waiting_hours 须为 0 到 8760", "waiting_hours is 0 to 8760", "更正", "correct it",
    ),
    "policy.settled": (
        "该提案已处理, 或其间已换了制度", "the proposal is settled, or another policy came into force since",
        "按现行制度重新提出", "propose it again, against the policy in force",
    ),
    "policy.alone": (
        "提出人不得自己批准", "whoever asked for it may not approve it",
        "请另一位经理或主管办理", "ask another manager or officer",
    ),
    "policy.early": (
        "等待时间 {hours} 小时未满", "the waiting time of {hours} hours is not over",
        "届时再办", "come back when it is",
    ),
    "policy.glass_open": (
        "上一次紧急查阅尚未复核", "the last breaking of the glass is not reviewed yet",
        "请经理或主管以 desk.glass.review 复核", "ask a manager or an officer to review it with desk.glass.review",
    ),
    "policy.what": (
        "{action}: 参数的个数不对",
        "{action} takes other words",
        "diff 带两个制度, 其余带一个; --role 只用于 explain, 且必给",
        "diff takes two policies, the others one; --role goes with explain, and always",
    ),
    "policy.unknown": (
        "没有这个词, 最接近的是 {nearest}",
        "there is no such word; the nearest is {nearest}",
        "见 docs/reference/policy.md",
        "see docs/reference/policy.md",
    ),
    "policy.template": (
        "没有这个模板, 最接近的是 {nearest}", "there is no such template; the nearest is {nearest}",
        "用 bank, hotel, property", "use bank, hotel or property",
    ),
}  # fmt: skip


def reason(code: str, path: str, /, **facts: str | int) -> Problem:
    """The `Problem` of a code at a place."""
    zh, en, fix_zh, fix_en = (text.format_map(facts) for text in TEXTS[code])
    return Problem(code=code, path=path, zh=zh, en=en, fix_zh=fix_zh, fix_en=fix_en)
