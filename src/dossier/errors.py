"""Every error of the library: one base, a stable code, a path, two languages, what to do next.

Floor: errors (lowest). Nothing in this module knows a customer: messages are built from templates
and from *facts*, which may only be names that the library or the developer chose (fields, sections,
collections, schemes, counts), never a value that came from a dossier (law K3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import attrs

Lang = Literal["zh", "en"]


@attrs.frozen(kw_only=True)
class Problem:
    """One thing that is wrong with an input: stable `code`, `path` to the place, text and remedy in zh and en."""

    code: str
    path: str
    zh: str
    en: str
    fix_zh: str
    fix_en: str

    def text(self, lang: Lang = "en") -> str:
        """The problem as one sentence."""
        return self.zh if lang == "zh" else self.en

    def fix(self, lang: Lang = "en") -> str:
        """What to do next."""
        return self.fix_zh if lang == "zh" else self.fix_en

    def __str__(self) -> str:
        return f"{self.path}: {self.en} ({self.zh}) -> {self.fix_en} [{self.code}]"


class DossierError(Exception):
    """Base of all errors. `code` is stable across releases; `path` names the place; `facts` are value-free."""

    code: ClassVar[str] = "dossier.error"
    zh: ClassVar[str] = "档案库出错"
    en: ClassVar[str] = "the archive reported an error"
    fix_zh: ClassVar[str] = "请查阅错误码说明"
    fix_en: ClassVar[str] = "look the code up in docs/reference/errors.md"

    def __init__(self, *, path: str = "", **facts: str | int) -> None:
        self.path = path
        self.facts: Mapping[str, str | int] = facts
        super().__init__(self.code, path)

    def text(self, lang: Lang = "en") -> str:
        """The error as one sentence in `lang`."""
        return (self.zh if lang == "zh" else self.en).format_map(_Facts(self.facts))

    def fix(self, lang: Lang = "en") -> str:
        """What to do next, in `lang`."""
        return (self.fix_zh if lang == "zh" else self.fix_en).format_map(_Facts(self.facts))

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.text('en')} ({self.text('zh')}) -> {self.fix('en')} [{self.code}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.path, dict(self.facts)))


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def _rebuild(cls: type[DossierError], path: str, facts: dict[str, Any]) -> DossierError:
    return cls(path=path, **facts)


# -- input ---------------------------------------------------------------------------------------


class InputError(DossierError):
    """An input has problems; `problems` lists all of them, found in one pass (law K3)."""

    code = "input.invalid"
    zh = "输入有 {count} 处问题: {codes}"
    en = "the input has {count} problem(s): {codes}"
    fix_zh = "逐条查看 problems 并更正后重试, 未写入任何内容"
    fix_en = "read .problems, correct each and try again; nothing was written"

    def __init__(self, problems: Iterable[Problem] = (), *, path: str = "", **facts: str | int) -> None:
        self.problems = tuple(problems)
        facts.setdefault("count", len(self.problems))
        facts.setdefault("codes", ", ".join(sorted({p.code for p in self.problems})))
        super().__init__(path=path or (self.problems[0].path if len(self.problems) == 1 else ""), **facts)

    def __str__(self) -> str:
        lines = [super().__str__(), *(f"  - {p}" for p in self.problems)]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild_input, (type(self), self.problems, self.path, dict(self.facts)))


def _rebuild_input(
    cls: type[InputError], problems: tuple[Problem, ...], path: str, facts: dict[str, Any]
) -> InputError:
    return cls(problems, path=path, **facts)


class NewerSectionError(DossierError):
    """A section was written by a newer major version; it is kept untouched and cannot be edited here (K2)."""

    code = "section.newer"
    zh = "资料项 {section} 由更新的版本 {stored} 写成, 本程序只懂 {known}"
    en = "section {section} was written by newer version {stored}; this program knows {known}"
    fix_zh = "升级定义该资料项的程序包; 档案其余部分照常可用"
    fix_en = "upgrade the package that defines the section; the rest of the dossier works"


class OlderSectionError(DossierError):
    """A section was written by an older major version from which no upcaster leads to the registered one (K2)."""

    code = "section.older"
    zh = "资料项 {section} 由旧版本 {stored} 写成, 没有升级到 {known} 的办法"
    en = "section {section} was written by version {stored}; nothing leads from it to {known}"
    fix_zh = "以 registry.upcaster 登记升级函数; 档案其余部分照常可用"
    fix_en = "register an upcaster with registry.upcaster; the rest of the dossier works"


# -- what the desk answers -----------------------------------------------------------------------


class DeniedError(DossierError):
    """The policy does not permit the call. The refusal itself is on record."""

    code = "policy.denied"
    zh = "角色 {role} 不得{verb_zh}"
    en = "role {role} may not {verb}"
    fix_zh = "请由有权的人员办理, 或请保管人发放"
    fix_en = "ask somebody who may, or ask the custodian for a release"


class NotEnrolledError(DeniedError):
    """Who names himself does not hold the role he names: he was never enrolled under it, or was dismissed from it."""

    code = "staff.not_enrolled"
    zh = "此人未以角色 {role} 登记在册"
    en = "nobody of this name is enrolled under the role {role}"
    fix_zh = "请负责档案库的人以 archive.staff.enrol 登记, 或以其在册的角色行事"
    fix_en = "ask whoever keeps the archive to enrol him (archive.staff.enrol), or act under a role he holds"


class PolicyChangedError(DossierError):
    """Another policy was put in force while the call was made; nothing was given out or written under the old one."""

    code = "policy.changed"
    zh = "办理期间制度已更换, 未给出也未写入任何内容"
    en = "another policy came into force meanwhile; nothing was given out or written"
    fix_zh = "再办理一次, 将依新制度决定"
    fix_en = "call again; the new policy decides"


class ReadableFieldError(DeniedError):
    """A filter, sort or group names a field that the caller may not read; refused, never dropped (N2, N3)."""

    code = "policy.field"
    zh = "资料 {field} 不可用于查询: 该角色以此目的无权读取"
    en = "{field} may not be queried: this role may not read it under this purpose"
    fix_zh = "去掉该条件, 或以允许的目的查询"
    fix_en = "drop that condition, or act under a purpose that permits the field"


class NotFoundError(DossierError):
    """No such dossier, record or version, or none that the caller may see: the same error."""

    code = "dossier.not_found"
    zh = "没有找到, 或无权查看"
    en = "not found, or not visible to you"
    fix_zh = "核对编号, 或询问保管人"
    fix_en = "check the number or ask the custodian"


class ConflictError(DossierError):
    """Another writer changed what this change expected; `fields` names the touched fields the caller may read (K5)."""

    code = "commit.conflict"
    zh = "资料已被他人修改: {fields}"
    en = "changed by another writer meanwhile: {fields}"
    fix_zh = "重新查阅后再改"
    fix_en = "consult again and repeat the change"

    def __init__(self, fields: Iterable[str] = (), *, path: str = "", **facts: str | int) -> None:
        self.fields = tuple(fields)
        facts["fields"] = ", ".join(self.fields) or "row"
        super().__init__(path=path, **facts)

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {k: v for k, v in self.facts.items() if k != "fields"}
        return (_rebuild_conflict, (self.fields, self.path, facts))


def _rebuild_conflict(fields: tuple[str, ...], path: str, facts: dict[str, Any]) -> ConflictError:
    return ConflictError(fields, path=path, **facts)


class OutcomeUnknown(DossierError):
    """The store did not say whether the batch was kept; repeat with the same request id to learn it (K4)."""

    code = "commit.unknown"
    zh = "存储未答复本批是否已写入"
    en = "the store did not say whether the batch was kept"
    fix_zh = "用同一 request_id 重试, 只会生效一次"
    fix_en = "repeat with the same request_id; it takes effect once"


class UnitEndedError(DossierError):
    """A unit of work that is over takes nothing more in."""

    code = "unit.ended"
    zh = "这一单元已经结束, 未写入"
    en = "this unit of work is over; nothing was written"
    fix_zh = "在 with 之内办理, 或用 desk 本身"
    fix_en = "work inside the with block, or use the desk itself"


class NumbersUnsettledError(DossierError):
    """After a restore, registering waits until it is told where numbers go on (K10)."""

    code = "numbers.unsettled"
    zh = "档案由备份恢复, 登记编号从何处继续尚未确定"
    en = "this archive was restored from a backup; where numbers continue is not settled"
    fix_zh = "以 numbers_from= 给出下一个序号重新打开"
    fix_en = "open it with numbers_from= naming the next serial"


class QuestionOpenError(DossierError):
    """A part that waits for "same part?" to be answered cannot be changed before that."""

    code = "part.unsettled"
    zh = "{part} 是否与已有条目为同一个, 尚未答复"
    en = "whether {part} is the same as an existing part is not answered yet"
    fix_zh = "先用 desk.claims.settle 答复"
    fix_en = "answer it first with desk.claims.settle"


# -- repository ----------------------------------------------------------------------------------


class RepositoryError(DossierError):
    """Base of what a repository raises."""

    code = "repository.error"


class UnknownSchemeError(RepositoryError):
    """No repository is installed for the scheme of the address."""

    code = "repository.scheme"
    zh = "没有安装用于 {scheme} 的存储插件"
    en = "no repository plugin is installed for {scheme}"
    fix_zh = "pip install {install}"
    fix_en = "pip install {install}"


class ExistsError(RepositoryError):
    """`create` never overwrites."""

    code = "repository.exists"
    zh = "该处已有内容, 不会覆盖"
    en = "something is there already; create never overwrites"
    fix_zh = "改用 dossier.open, 或换一个位置"
    fix_en = "use dossier.open, or another place"


class MissingArchiveError(RepositoryError):
    """`open` never creates."""

    code = "repository.missing"
    zh = "该处没有档案库"
    en = "there is no archive there"
    fix_zh = "先用 dossier.create 建立"
    fix_en = "create it first with dossier.create"


class MissingFolderError(RepositoryError):
    """What is to be made would lie in a folder that does not exist."""

    code = "repository.folder"
    zh = "所在文件夹不存在"
    en = "the folder it would lie in does not exist"
    fix_zh = "先建立文件夹, 或换一个位置"
    fix_en = "make the folder first, or use another place"


class NotAnArchiveError(RepositoryError):
    """The file or database exists but is no archive."""

    code = "repository.not_archive"
    zh = "该文件或数据库不是档案库"
    en = "this file or database is not an archive"
    fix_zh = "核对地址; 未作任何改动"
    fix_en = "check the address; nothing was changed"


class UnfinishedCopyError(RepositoryError):
    """A copy or restore to this place was interrupted; what is there is no archive yet."""

    code = "repository.unfinished"
    zh = "该处的复制或恢复尚未完成"
    en = "a copy or restore to this place was not finished"
    fix_zh = "再次运行同一复制或恢复, 会接着做完"
    fix_en = "run the same copy or restore again; it goes on where it stopped"


class NewerFormatError(RepositoryError):
    """The archive asks for a newer reader or writer than this program is."""

    code = "repository.newer"
    zh = "档案库要求格式 {needed}, 本程序为 {known}"
    en = "the archive needs format {needed}; this program is {known}"
    fix_zh = "升级本程序; 未写入任何内容"
    fix_en = "upgrade this program; nothing was written"


class ReadOnlyError(RepositoryError):
    """The store cannot be written."""

    code = "repository.read_only"
    zh = "存储为只读"
    en = "the store is read-only"
    fix_zh = "检查权限, 或以 mode=\"r\" 打开"
    fix_en = "check its permissions, or open it with mode=\"r\""


class StorageFullError(RepositoryError):
    """No room is left; the batch was not kept."""

    code = "repository.full"
    zh = "存储空间已满, 本批未写入"
    en = "no room left; the batch was not kept"
    fix_zh = "腾出空间后重试"
    fix_en = "make room and try again"


class OutputError(RepositoryError):
    """A file that was to be written beside the archive could not be; nothing is left of it."""

    code = "output.file"
    zh = "文件未能写出: {what}"
    en = "the file could not be written: {what}"
    fix_zh = "换一个位置或名称后重试; 档案库未受影响"
    fix_en = "use another place or name and try again; the archive is not affected"


class LockedError(RepositoryError):
    """Another writer holds the store for longer than the time limit."""

    code = "repository.locked"
    zh = "存储被另一写入者占用"
    en = "the store is held by another writer"
    fix_zh = "稍后重试"
    fix_en = "try again later"


class DamagedError(RepositoryError):
    """Stored bytes are not what was written."""

    code = "repository.damaged"
    zh = "存储内容损坏: {what}"
    en = "the stored content is damaged: {what}"
    fix_zh = "停止写入, 从备份恢复"
    fix_en = "stop writing and restore a backup"


class ForkedError(RepositoryError):
    """The process forked; the child must open the archive itself."""

    code = "repository.forked"
    zh = "进程已分叉, 子进程须重新打开档案库"
    en = "the process was forked; the child must open the archive itself"
    fix_zh = "在子进程中再次 dossier.open"
    fix_en = "call dossier.open again in the child"


class ClosedError(RepositoryError):
    """The archive or repository was closed."""

    code = "repository.closed"
    zh = "档案库已关闭"
    en = "the archive is closed"
    fix_zh = "重新打开"
    fix_en = "open it again"


class LimitError(RepositoryError):
    """A declared limit was passed (rows in a batch, bytes or depth of a body, characters of an index term)."""

    code = "repository.limit"
    zh = "{what} 超出上限 {limit}"
    en = "{what} is over the limit of {limit}"
    fix_zh = "拆分或缩短"
    fix_en = "split or shorten it"


class QueryError(RepositoryError):
    """The query is not of the closed language, or names what the collection does not declare."""

    code = "repository.query"
    zh = "查询不可用: {what}"
    en = "this query cannot be answered: {what}"
    fix_zh = "只用已声明的索引字段与封闭的算子"
    fix_en = "use declared index fields and the closed operators"


class CursorError(QueryError):
    """A cursor that was altered, or given out for another query, archive or actor."""

    code = "repository.cursor"
    zh = "游标不属于该查询"
    en = "the cursor does not belong to this query"
    fix_zh = "从第一页重新开始"
    fix_en = "start again from the first page"


class UnreachableError(RepositoryError):
    """The store does not answer, or not in time; nothing of the call was kept."""

    code = "repository.unreachable"
    zh = "存储无应答或应答超时, 未写入任何内容"
    en = "the store does not answer, or not in time; nothing was kept"
    fix_zh = "检查地址、网络以及服务是否运行, 然后重试"
    fix_en = "check the address, the network and that the server runs, then try again"


class CredentialsError(RepositoryError):
    """The store refuses who is asking."""

    code = "repository.credentials"
    zh = "存储拒绝了登录凭据, 或该账号无此权限"
    en = "the store refuses these credentials, or they do not permit the call"
    fix_zh = "核对凭据与该账号的权限"
    fix_en = "check the credentials and what they permit"


class UnsuitableError(RepositoryError):
    """There is a server, but it cannot keep what an archive asks for."""

    code = "repository.unsuitable"
    zh = "该服务器不能存放档案库: {what}"
    en = "this server cannot keep an archive: {what}"
    fix_zh = "{remedy}"
    fix_en = "{remedy}"


class ExpiredError(RepositoryError):
    """A snapshot was held for longer than the store keeps the state that it shows."""

    code = "repository.expired"
    zh = "快照已过期, 存储不再保留那一时刻的内容"
    en = "the snapshot is too old; the store no longer keeps that state"
    fix_zh = "重新打开快照再读"
    fix_en = "open a snapshot anew and read again"


class UnsupportedError(RepositoryError):
    """An optional capability that this repository does not have."""

    code = "repository.unsupported"
    zh = "该存储不支持 {what}"
    en = "this repository does not offer {what}"
    fix_zh = "换用支持它的存储"
    fix_en = "use a repository that offers it"


class CanonicalError(RepositoryError):
    """A body or event is not canonical JSON."""

    code = "repository.canonical"
    zh = "内容不是规范 JSON: {what}"
    en = "the content is not canonical JSON: {what}"
    fix_zh = "见 docs/reference/repository.md"
    fix_en = "see docs/reference/repository.md"


class LedgerError(DossierError):
    """The ledger does not verify."""

    code = "ledger.broken"
    zh = "日志校验失败: 通道 {lane} 第 {seq} 条"
    en = "the ledger does not verify: lane {lane}, event {seq}"
    fix_zh = "保全现场, 对照库外保存的检查点"
    fix_en = "preserve the store and compare the checkpoints kept outside"


class NotPicklableError(DossierError, TypeError):
    """Archive, desk and repository hold locks and files; they cannot be pickled or copied."""

    code = "object.pickle"
    zh = "{what} 不能序列化或复制"
    en = "{what} cannot be pickled or copied"
    fix_zh = "在另一进程中重新打开"
    fix_en = "open the archive again in the other process"


class WithheldError(DossierError, TypeError):
    """Something was computed from a value that the caller may not read."""

    code = "view.withheld"
    zh = "无权查看的内容不能参与计算或比较"
    en = "a withheld value cannot be computed with or compared"
    fix_zh = "先用 dossier.known(x) 判断"
    fix_en = "ask dossier.known(x) first"
