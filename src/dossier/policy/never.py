"""The forbids that no policy can lift (M114, M118-M127, N18): they stand in the engine, not among the rules.

Floor: policy, pure. Only M124 has an exception, declared when an archive is created and recorded in its manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from dossier.model.fields import Leaf, Tier
from dossier.policy.atoms import Facts
from dossier.policy.rules import APPROVERS

READING: Final = frozenset({"consult", "borrow", "release", "export", "analyse"})
"""Verbs by which somebody comes to see values."""
EXCEPTIONS: Final = ("M124",)
"""What may be declared when an archive is created: M124, sales may consult, and be given more than three fields."""
SALES: Final = "sales"
"""The flag of what sales may be given: the name of an organization, the name of a person, a person's title."""


@attrs.frozen
class Call:
    """What is asked, without the facts. `waiting`: an archive of one person, where time replaces the second."""

    kinds: frozenset[str]
    verb: str
    medium: str
    purpose: str
    waiting: bool = False


@attrs.frozen
class Never:
    """One forbid: the calls it concerns, the leaves, and when (None: always). `exception` is what lifts it."""

    id: str
    zh: str
    en: str
    concerns: Callable[[Call], bool]
    leaf: Callable[[Leaf], bool] = lambda _: True
    broken: Callable[[Facts], bool] | None = None
    exception: str = ""


def _no_second_person(facts: Facts) -> bool:
    approved = facts.approver and facts.requester and not facts.approver_kinds.isdisjoint(APPROVERS)
    return not approved or facts.approver == facts.requester


NEVER: Final = (
    Never(
        "never-M126", "原始资料只可查寻, 不得借阅、发放、导出",
        "originals are consulted, never lent, released or exported",
        lambda call: call.medium != "copy" and call.verb in ("borrow", "release", "export"),
    ),
    Never(
        "never-M124-consult", "业务人员不得查寻", "sales look nothing up",
        lambda call: "sales" in call.kinds and call.verb in READING - {"release"}, exception="M124",
    ),
    Never(
        "never-M124-release", "业务人员只得单位名称、姓名、职务", "sales are given organization, person and title only",
        lambda call: "sales" in call.kinds and call.verb == "release", lambda leaf: SALES not in leaf.flags,
        exception="M124",
    ),
    Never(
        "never-N18", "特殊资料须说明目的", "special fields are read for a purpose only",
        lambda call: call.verb in READING and not call.purpose, lambda leaf: leaf.tier is Tier.SPECIAL,
    ),
    Never(
        "never-M122", "发放须经申请人以外的客户经理或经理同意", "a release needs a manager who did not ask for it",
        lambda call: call.verb == "release" and not call.waiting, broken=_no_second_person,
    ),
    Never(
        "never-M122-waiting", "发放须满等待时间并记录理由", "a release needs the waiting time and a recorded reason",
        lambda call: call.verb == "release" and call.waiting, broken=lambda facts: not facts.waited,
    ),
    Never(
        "never-M125", "全部资料的发放须有回收日期", "a full release carries a recall date",
        lambda call: call.verb == "release", lambda leaf: SALES not in leaf.flags, lambda facts: not facts.recall,
    ),
    Never(
        "never-M127", "未经客户同意不得给予第三方", "nothing goes to an outsider without evidence of consent",
        lambda call: call.verb == "release" and "outsider" in call.kinds, broken=lambda facts: not facts.consent,
    ),
    Never(
        "never-hold", "冻结期间不得修订、销毁", "nothing is edited or destroyed under a hold",
        lambda call: call.verb in ("edit", "destroy"), broken=lambda facts: facts.hold,
    ),
    Never(
        "never-retention", "保管期满前不得销毁", "nothing is destroyed before retention ends",
        lambda call: call.verb == "destroy", broken=lambda facts: facts.retained,
    ),
)  # fmt: skip
