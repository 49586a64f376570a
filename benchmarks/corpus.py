"""Customers for measuring: dossier i depends on i alone. About 60 fields and 4 KB each, Chinese text.

What the kernel's sections lack (a region, a credit grade and yearly sales as single indexed fields) stands in a small
section of its own. Every field has a claim; a fifth of the fields have a second one, from another channel, half of
these with another value.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import attrs

import dossier as ds
from dossier.model.fields import Tier, many, one, section
from dossier.model.values import PartialDate, Short

_FAMILY = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭"
)
_GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂玉萍红建华文辉力云鹏飞林峰凤洁梅琳素莲真环雪荣爱妹香月莺媛瑞凡佳嘉"
)
_PLACES = (
    ("华东", "上海市", "上海市"),
    ("华东", "江苏省", "南京市"),
    ("华东", "江苏省", "苏州市"),
    ("华东", "浙江省", "杭州市"),
    ("华东", "浙江省", "宁波市"),
    ("华北", "北京市", "北京市"),
    ("华北", "天津市", "天津市"),
    ("华北", "河北省", "石家庄市"),
    ("华南", "广东省", "广州市"),
    ("华南", "广东省", "深圳市"),
    ("华南", "福建省", "厦门市"),
    ("华中", "湖北省", "武汉市"),
    ("华中", "湖南省", "长沙市"),
    ("西南", "四川省", "成都市"),
    ("西南", "重庆市", "重庆市"),
    ("西北", "陕西省", "西安市"),
    ("东北", "辽宁省", "沈阳市"),
    ("东北", "辽宁省", "大连市"),
)
REGIONS = ("华东", "华北", "华南", "华中", "西南", "西北", "东北")
_ROADS = [
    "中山",
    "人民",
    "解放",
    "建设",
    "和平",
    "新华",
    "文化",
    "长江",
    "黄河",
    "延安",
    "淮海",
    "复兴",
    "朝阳",
    "滨江",
    "科技",
    "创业",
    "工业",
    "迎宾",
    "学府",
    "金融",
    "天府",
    "珠江",
]
_FIRMS = [
    "鑫隆",
    "恒达",
    "华信",
    "盛世",
    "宏远",
    "金桥",
    "东方",
    "瑞丰",
    "博雅",
    "天成",
    "永泰",
    "嘉禾",
    "正源",
    "联创",
    "富康",
    "顺达",
    "中兴",
    "万和",
    "利群",
    "国泰",
    "安邦",
]
_TRADES = [
    "商贸",
    "实业",
    "科技",
    "电子",
    "食品",
    "酒店管理",
    "物业管理",
    "美容",
    "机械",
    "化工",
    "纺织",
    "建材",
    "医药",
    "物流",
    "广告",
    "家具",
    "服装",
    "软件",
    "餐饮",
]
_FORMS = ("有限公司", "股份有限公司", "合伙企业", "个体工商户")
_INDUSTRIES = ["制造", "批发", "零售", "酒店", "物业", "美容", "银行", "贸易", "物流", "餐饮", "建筑", "医药"]
GRADES = ("AAA", "AA", "A", "B", "C", "D")
_SHARES = (3, 8, 20, 35, 24, 10)
_DRINKS = ["绿茶", "红茶", "乌龙茶", "咖啡", "矿泉水", "红酒", "白酒", "啤酒", "果汁", "普洱"]
_FOODS = ["川菜", "粤菜", "湘菜", "鲁菜", "淮扬菜", "西餐", "日料", "素食", "面食", "海鲜", "清真"]
_HOBBIES = ["高尔夫", "钓鱼", "书法", "摄影", "旅游", "足球", "篮球", "羽毛球", "围棋", "收藏", "阅读", "音乐", "登山"]
_GOODS = [
    "轴承",
    "电机",
    "面料",
    "茶叶",
    "涂料",
    "钢材",
    "芯片",
    "木材",
    "药品",
    "纸箱",
    "灯具",
    "阀门",
    "水泵",
    "化妆品",
    "家电",
]
_IDEAS = [
    "经营理念先进重视长期合作",
    "以质量求生存以信誉求发展",
    "注重现金流决策谨慎",
    "积极扩张渠道下沉",
    "客户第一服务至上",
    "价格敏感采购分散",
    "管理规范流程严格",
    "家族经营决策集中",
]
_TITLES = ["总经理", "采购经理", "财务主管", "销售总监", "办公室主任", "董事长", "店长", "仓库主管"]
_TRAITS = ["守约", "议价强", "订货稳定", "退货多", "回款快", "回款慢", "重包装", "重交期"]
_TABOOS = ["香菜", "花生", "数字4", "晚间来电", "烟味"]
_DAY = dt.date(2024, 1, 1)
_OURS = Tier.CONFIDENTIAL


@section("bench:trade", zh="测试", en="measured trade")
@attrs.frozen(kw_only=True)
class Trade:
    """Single indexed fields to select, sort and group by, and a few more of every shape of text."""

    region: Short | None = one("大区", "region", row="M140", index="text")
    credit: Short | None = one("信用等级", "credit grade", row="M32", index="text")
    annual_sales: int | None = one("年销售额", "yearly sales", row="M27", index="int")
    status: Short | None = one("状态", "status", row="M31")
    state: Short | None = one("交易状态", "state of trade", row="M31")
    pay_method: Short | None = one("支付方式", "payment", row="M32")
    grade: Short | None = one("等级", "class", row="M32")
    last_order: PartialDate | None = one("最近订货", "last order", row="M33")
    goods: tuple[Short, ...] = many("产品", "goods", row="M33")
    drinks: tuple[Short, ...] = many("饮品", "drinks", row="M40")
    foods: tuple[Short, ...] = many("菜系", "food", row="M40")
    room: Short | None = one("房间", "room", row="M40")
    gift: Short | None = one("礼品", "gift", row="M40")
    contact_time: Short | None = one("联系时间", "time to call", row="M40")
    note: Short | None = one("备注", "note", row="M40", tier=_OURS)


INDEXES = (("bench:trade/region", "bench:trade/credit", "bench:trade/annual_sales"),)
"""The composite index of W4."""


def sections() -> ds.SectionRegistry:
    """The kernel's sections and the measured one."""
    made = ds.registry()
    made.register(Trade)
    return made


Plain = dict[str, dict[str, Any]]


@attrs.frozen
class Customer:
    """What is known of one customer, as plain values a section: `first` from a visit, `second` from a form."""

    name: str
    address: str
    first: Plain
    second: Plain


def _person(r: random.Random) -> str:
    return r.choice(_FAMILY) + r.choice(_GIVEN) + (r.choice(_GIVEN) if r.random() < 0.8 else "")


def _mobile(r: random.Random) -> str:
    return "1" + r.choice("3578") + "".join(r.choices("0123456789", k=9))


def _date(day: dt.date) -> str:
    return day.isoformat()


def _named(r: random.Random) -> tuple[str, str, str, str, str, str]:
    region, province, city = r.choice(_PLACES)
    short = r.choice(_FIRMS) + r.choice(_FAMILY) + r.choice(_GIVEN) + r.choice(_TRADES)
    form = r.choice(_FORMS)
    name = city.rstrip("市") + short + form
    road = f"{r.choice(_ROADS)}{r.choice('东西南北中')}路{r.randint(1, 1999)}号"
    address = f"{province}{city}{road}{r.choice(_FIRMS)}大厦{r.randint(1, 33)}层{r.randint(101, 3320)}室"
    return region, province + city, short, form, name, address


def rename(i: int) -> tuple[str, str]:
    """A name and an address alone, for the many that are copied."""
    return _named(random.Random(9_000_011 + i))[4:]


def customer(i: int) -> Customer:
    """Customer number i."""
    r = random.Random(7_000_021 + i)
    region, place, short, form, name, address = _named(r)
    sales = int(r.lognormvariate(14, 1.4))
    years = ("2021", "2022", "2023")
    people = [_person(r) for _ in range(r.randint(3, 4))]
    born = [_date(dt.date(1960, 1, 1) + dt.timedelta(days=r.randint(0, 14000))) for _ in people]
    persons = [
        {"name": who, "title": r.choice(_TITLES), "phones": [_mobile(r)], "born": day}
        for who, day in zip(dict.fromkeys(people), born, strict=False)
    ]
    founded = _date(_DAY - dt.timedelta(days=r.randint(300, 12000)))
    industry, idea, employees = r.choice(_INDUSTRIES), r.choice(_IDEAS), r.randint(3, 5000)
    results = [{"period": year, "value": str(int(sales * r.uniform(0.6, 1.3)))} for year in years]
    limit, pay = r.randint(1, 500) * 10000, r.choice(["转账", "承兑", "现金", "支票"])
    title, terms = f"{people[0][0]}总", r.choice(["现款", "月结30天", "月结60天", "预付30%"])
    state = r.choice(["正常", "停滞", "开发中"])
    code = "91" + "".join(r.choices("0123456789ABCDEFGHJK", k=16))
    first: Plain = {
        "basic": {
            "name": name,
            "short_names": [short],
            "phones": [f"0{r.randint(310, 999)}-{r.randint(2000000, 8999999)}", _mobile(r)],
            "online": [f"c{i}@example.com"],
            "addresses": [
                {"text": address, "region": place, "postcode": f"{r.randint(100000, 859999)}"},
            ],
            "key_persons": persons,
            "founded": founded,
            "form": form,
            "industry": industry,
            "credit_code": code,
        },
        "characteristics": {
            "service_area": [place for _, _, place in r.sample(_PLACES, r.randint(1, 3))],
            "selling_power": {"value": r.randint(1, 5)},
            "potential": {"value": r.randint(1, 100), "scale": 100},
            "idea": idea,
            "direction": r.choice(_IDEAS),
            "policy": r.choice(_IDEAS),
            "staff": [{"period": "2023", "value": employees}],
            "features": "，".join(r.sample(_TRAITS, 3)),
        },
        "business_status": {
            "results": results,
            "profit": [{"period": year, "value": str(int(sales * r.uniform(0, 0.2)))} for year in years],
            "staff_quality": {"value": r.randint(1, 5)},
            "competitors": [{"vendor": vendor + r.choice(_TRADES)} for vendor in r.sample(_FIRMS, 2)],
            "dealings": r.choice(["密切", "一般", "疏远"]),
            "market_flow": r.choice(_IDEAS),
        },
        "transaction_status": {
            "credit_standing": r.choice(["良好", "一般", "有纠纷"]),
            "credit_limit": str(limit),
            "terms": terms,
            "activity": r.choice(_IDEAS),
            "reputation": {"value": r.randint(1, 5)},
            "route": f"{r.randint(1, 40):02d}-{r.randint(1, 99):02d}",
            "habits": r.choice(_IDEAS),
        },
        "preferences": {
            "interests": r.sample(_HOBBIES, 3),
            "habits": [r.choice(["朝南高层无烟", "安静远离电梯", "大床吸烟"])],
            "taboos": r.sample(_TABOOS, r.randint(0, 2)),
            "address_as": title,
        },
        "bench:trade": {
            "region": region,
            "credit": r.choices(GRADES, _SHARES)[0],
            "annual_sales": sales,
            "status": r.choices(["active", "dormant", "lost"], [80, 15, 5])[0],
            "state": state,
            "pay_method": pay,
            "grade": r.choices("ABC", [15, 30, 55])[0],
            "last_order": _date(_DAY + dt.timedelta(days=r.randint(100, 700))),
            "goods": r.sample(_GOODS, r.randint(1, 4)),
            "drinks": r.sample(_DRINKS, 2),
            "foods": r.sample(_FOODS, 2),
            "room": r.choice(["朝南", "高层", "无烟"]),
            "gift": r.choice(["茶叶", "台历", "水果"]),
            "contact_time": r.choice(["上午", "下午", "晚间"]),
            "note": r.choice(_IDEAS),
        },
    }
    if not first["preferences"]["taboos"]:
        del first["preferences"]["taboos"]
    second: Plain = {
        "basic": {"founded": founded, "industry": r.choice(_INDUSTRIES), "credit_code": code},
        "characteristics": {"idea": idea, "staff": [{"period": "2023", "value": employees * 2}]},
        "business_status": {"results": [{"period": y["period"], "value": y["value"] + "0"} for y in results]},
        "transaction_status": {"credit_limit": str(limit), "terms": "月结90天"},
        "preferences": {"address_as": title},
        "bench:trade": {"annual_sales": sales, "pay_method": "现金", "state": state},
    }
    return Customer(name, address, first, second)


def changes(plain: Plain, registry: ds.SectionRegistry, door: Any, *, typed: bool) -> list[Any]:
    """Changes to the sections, from typed objects or from plain values."""
    if not typed:
        return [ds.change(key, **values) for key, values in plain.items()]
    made = []
    for key, values in plain.items():
        read, problems = door.parse_section(registry.spec(key, "organization"), values)
        assert not problems, problems
        made.append(ds.change(read))
    return made
