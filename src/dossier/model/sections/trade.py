"""客户特征, 业务状况, 交易现状: what the customer is like and how it trades (M27, M29-M33, M39). Floor: model."""

from __future__ import annotations

import attrs

from dossier.model.fields import Tier, computed, items, many, one, section, series
from dossier.model.values import (
    Long,
    Money,
    PartialDate,
    Per,
    PersonName,
    Quantity,
    Rating,
    Ref,
    Region,
    Short,
    Term,
)

_OURS = Tier.CONFIDENTIAL


@section("characteristics", zh="客户特征", en="characteristics")
@attrs.frozen(kw_only=True)
class Characteristics:
    """Service area, selling power, potential, idea, direction, policy, size, features of management (M27)."""

    service_area: tuple[Region, ...] = many("服务区域", "service area", row="M27", index="set")
    selling_power: Rating | None = one(
        "销售能力", "selling power", row="M27", ranking="ours", tier=_OURS, flags="opinion"
    )
    potential: Rating | None = one("发展潜力", "potential", row="M27", ranking="ours", tier=_OURS, flags="opinion")
    idea: Long | None = one("经营观念", "management idea", row="M27")
    direction: Long | None = one("经营方向/方针", "direction", row="M27")
    policy: Long | None = one("经营政策", "policy", row="M27")
    staff: tuple[Per[int], ...] = series("职工人数", "staff", row="M27", tier=Tier.INTERNAL)
    sales: tuple[Per[Money], ...] = series("销售额", "sales", row="M27")
    features: Long | None = one("经营管理特点", "management features", row="M27")
    culture: Long | None = one("地区文化习俗", "culture and customs of the place", row="M28")
    policy_news: tuple[Ref, ...] = computed(
        "地区政策动态", "policy news (records of the region)", row="M28", tier=Tier.INTERNAL, many=True
    )


_REP = "personal third_party"


@attrs.frozen(kw_only=True)
class Competitor:
    """A competitor at this customer, per product: what is used, how content, who sells it, how we compare (M39)."""

    key: str = ""
    vendor: Short | None = one("竞争对手", "competitor", row="M39", tier=_OURS, index="set")
    product: Short | None = one("产品", "product", row="M39", tier=_OURS)
    vendor_background: Long | None = one("公司背景", "its background", row="M39", tier=_OURS)
    features: Long | None = one("产品特点", "features of its product", row="M39", tier=_OURS)
    used: tuple[Per[Quantity], ...] = series("使用/安装数量", "in use", row="M39 M42", ranking="hard")
    satisfaction: Rating | None = one("客户满意度", "satisfaction", row="M39", tier=_OURS, flags="opinion")
    rep: PersonName | None = one("对方销售代表", "its representative", row="M39", tier=_OURS, flags=_REP)
    rep_style: Long | None = one(
        "销售特点", "style of the representative", row="M39", ranking="ours", tier=_OURS, flags=f"{_REP} opinion"
    )
    rep_relation: Long | None = one(
        "与客户关系", "relation of the representative to the customer", row="M39", tier=_OURS, flags=f"{_REP} opinion"
    )
    attention: Term | None = one(
        "客户关注程度", "customer's attention to it", row="M39", tier=_OURS, vocabulary="level"
    )
    ours_better: Long | None = one("我方优势", "our advantage", row="M39", ranking="ours", tier=_OURS)
    ours_worse: Long | None = one("我方劣势", "our weakness", row="M39", ranking="ours", tier=_OURS)

    @classmethod
    def parse(cls, text: str, /) -> Competitor:
        """A competitor from the text of its name."""
        return cls(vendor=text)


@section("business_status", zh="业务状况", en="business status")
@attrs.frozen(kw_only=True)
class BusinessStatus:
    """Results now and before, people, competitors, dealings with us and attitude (M29, M30, M38, M39)."""

    results: tuple[Per[Money], ...] = series("销售实绩", "sales results now and before", row="M29 M30")
    profit: tuple[Per[Money], ...] = series("利润", "profit", row="M30 M87")
    manager_quality: Rating | None = one(
        "管理者素质", "quality of managers", row="M29", ranking="ours", tier=_OURS, flags="opinion"
    )
    staff_quality: Rating | None = one(
        "业务人员素质", "quality of staff", row="M29", ranking="ours", tier=_OURS, flags="opinion"
    )
    competitors: tuple[Competitor, ...] = items(
        "与竞争者关系", "relation to competitors", row="M29 M39", identity="vendor", same="equal", tier=_OURS
    )
    market_flow: Long | None = one("产品市场流向", "market flow of its product to each order", row="M39", tier=_OURS)
    dealings: Long | None = one("与本公司业务关系", "dealings with us", row="M29", ranking="ours", tier=_OURS)
    attitude: Term | None = one(
        "合作态度", "attitude", row="M29", ranking="ours", tier=_OURS, flags="opinion", vocabulary="attitude"
    )
    income: tuple[Per[Money], ...] = series("收入", "income", row="M38")
    spending: tuple[Per[Money], ...] = series("支出", "spending", row="M38")
    sources: tuple[Short, ...] = many("购买产品来源", "sources of products", row="M38", tier=_OURS)
    purchases: tuple[Per[Money], ...] = series("采购进货量", "purchase volume", row="M38")
    statements: tuple[Ref, ...] = computed("财务状况报告", "statements filed", row="M30", many=True)


@attrs.frozen(kw_only=True)
class Issue:
    """A problem in the trade with this customer and what is to be done about it (M31)."""

    key: str = ""
    text: Long | None = one("存在的问题", "problem", row="M31", ranking="ours", tier=_OURS)
    measure: Long | None = one("未来的对策", "measure", row="M31", ranking="ours", tier=_OURS)
    by: Short | None = one("负责人", "responsible", row="M31")
    due: PartialDate | None = one("期限", "due", row="M31")
    closed: PartialDate | None = one("结束", "closed", row="M31")

    @classmethod
    def parse(cls, text: str, /) -> Issue:
        """A problem from its description."""
        return cls(text=text)


@section("transaction_status", zh="交易现状", en="transaction status")
@attrs.frozen(kw_only=True)
class TransactionStatus:
    """Selling activity, problems and measures, image, credit, terms; amounts computed from records (M31-M33, M37)."""

    activity: Long | None = one("销售活动现状", "selling activity", row="M31", tier=_OURS)
    issues: tuple[Issue, ...] = items(
        "问题与对策", "problems and measures", row="M31", identity="text", same="equal", tier=_OURS
    )
    strengths: tuple[Long, ...] = many("保持的优势", "strengths kept", row="M31", ranking="ours", tier=_OURS)
    image: Rating | None = one("企业形象", "image", row="M32", ranking="ours", tier=_OURS, flags="opinion")
    reputation: Rating | None = one("声誉", "reputation", row="M32", ranking="ours", tier=_OURS, flags="opinion")
    credit_standing: Term | None = one(
        "信用状况",
        "credit standing",
        row="M32",
        tier=_OURS,
        flags="opinion",
        index="text",
        vocabulary="credit_standing",
    )
    terms: Long | None = one("交易条件", "trading terms", row="M32 M141", ranking="ours", tier=_OURS)
    credit_limit: Money | None = one("信用限度", "credit limit", row="M141", ranking="ours", tier=_OURS, index="int")
    habits: Long | None = one("交易习惯", "trading habits", row="M32", ranking="habit", tier=_OURS)
    loyalty: Rating | None = one("忠诚度", "loyalty", row="M32", ranking="ours", tier=_OURS, flags="opinion")
    route: Short | None = one("客户路序", "route order", row="M94", ranking="ours", index="text")
    credit_problems: int | None = computed("信用问题", "past credit problems (records)", row="M32")
    total: Money | None = computed("交易金额", "amount", row="M33", index="int")
    times: int | None = computed("交易次数", "times", row="M33", index="int")
    last_date: PartialDate | None = computed("最近交易", "last date", row="M33", index="text")
    satisfaction: Rating | None = computed("满意度", "satisfaction with goods", row="M33")
    arrears: Money | None = computed("欠款", "arrears", row="M37", index="int")
