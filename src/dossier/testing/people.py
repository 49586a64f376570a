"""Names, telephone numbers, id numbers, credit codes and addresses, as people write them. All of it is made up.

Floor: testing. Check digits are computed by the published rules: GB 11643 (id numbers), GB 11714 and GB 32100 (codes of
organisations). Divisions are a few of the official ones, with their codes.
"""

from __future__ import annotations

import datetime as dt
import string

from hypothesis import strategies as st

RARE = ("𠮷", "𡈽", "𠅤", "𬭚", "𰻞", "㐂", "䶮", "龘", "犇", "喆", "堃", "垚")
"""Characters that small character sets lack; the first five take four bytes."""
SURNAMES = (
    "王", "李", "张", "張", "刘", "劉", "陈", "陳", "单", "單", "曾", "解", "仇", "区", "區", "查", "朴", "盖", "蓋",
    "翟", "缪", "繆", "欧阳", "歐陽", "诸葛", "司马",
)  # fmt: skip
"""Surnames, simplified and traditional, several with a reading of their own."""
GIVEN = ("雄信", "伟", "偉", "敏", "丽华", "麗華", "建国", "建國", "芳", "子墨", "阿依古丽·买买提")
SHORT = ("宏达", "宏達", "鑫源", "东方", "東方", "百货", "O'Brien", "A&B")
TRADES = ("商贸", "商貿", "茶叶", "茶葉", "电子", "電子", "食品")
FORMS = ("有限公司", "有限責任公司", "股份有限公司", "厂", "廠", "合作社", "")

DIVISIONS = (
    ("110112", "北京市", "市辖区", "通州区"), ("120112", "天津市", "市辖区", "津南区"),
    ("130623", "河北省", "保定市", "涞水县"), ("140728", "山西省", "晋中市", "平遥县"),
    ("150703", "内蒙古自治区", "呼伦贝尔市", "扎赉诺尔区"), ("210703", "辽宁省", "锦州市", "凌河区"),
    ("220421", "吉林省", "辽源市", "东丰县"), ("230606", "黑龙江省", "大庆市", "大同区"),
    ("310113", "上海市", "市辖区", "宝山区"), ("320685", "江苏省", "南通市", "海安市"),
    ("330522", "浙江省", "湖州市", "长兴县"), ("350526", "福建省", "泉州市", "德化县"),
    ("360734", "江西省", "赣州市", "寻乌县"), ("370829", "山东省", "济宁市", "嘉祥县"),
    ("420802", "湖北省", "荆门市", "东宝区"), ("430724", "湖南省", "常德市", "临澧县"),
    ("440904", "广东省", "茂名市", "电白区"), ("450703", "广西壮族自治区", "钦州市", "钦北区"),
    ("500120", "重庆市", "市辖区", "璧山区"), ("511403", "四川省", "眉山市", "彭山区"),
    ("520621", "贵州省", "铜仁市", "江口县"), ("530921", "云南省", "临沧市", "凤庆县"),
    ("540329", "西藏自治区", "昌都市", "洛隆县"), ("610582", "陕西省", "渭南市", "华阴市"),
    ("632522", "青海省", "海南藏族自治州", "同德县"), ("640323", "宁夏回族自治区", "吴忠市", "盐池县"),
    ("653123", "新疆维吾尔自治区", "喀什地区", "英吉沙县"),
)  # fmt: skip
"""(code, province, city, district), one of nearly every province."""

_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_BODY = string.digits + string.ascii_uppercase
_ID_WEIGHTS = tuple(2**place % 11 for place in range(17, 0, -1))
_OFFICE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CODE_WEIGHTS = tuple(3**place % 31 for place in range(17))


def person_names() -> st.SearchStrategy[str]:
    """Names of persons: simplified, traditional, with rare characters, foreign, only a surname."""
    given = st.sampled_from(GIVEN) | st.lists(st.sampled_from(RARE), min_size=1, max_size=2).map("".join)
    chinese = st.builds(str.__add__, st.sampled_from(SURNAMES), given)
    return chinese | chinese | st.sampled_from(["Maria Anders", "José Ñandú", "王", "𠮷野家", "O’Neill"])


def organization_names() -> st.SearchStrategy[str]:
    """Names of organisations: a place, a name of their own, a trade, a legal form, each of them at times left out."""
    place = st.sampled_from([city.removesuffix("市") for _, _, city, _ in DIVISIONS if city != "市辖区"] + [""])
    own = st.sampled_from(SHORT) | st.lists(st.sampled_from(RARE), min_size=1, max_size=2).map("".join)
    return st.tuples(place, own, st.sampled_from(TRADES), st.sampled_from(FORMS)).map("".join)


def phones(*, two: bool = True) -> st.SearchStrategy[str]:
    """Telephone numbers as they stand in files: spaces, brackets, extensions, full width, masked; with `two` also two
    in one cell, which nobody can take as they are."""
    mobile = st.integers(3_000_000_00, 9_999_999_99).map(lambda number: f"1{number:010}"[:11])
    fixed = st.integers(2_000_0000, 8_999_9999)
    both = st.builds(lambda number, other: f"(021){number}/{other}", fixed, mobile)
    single = st.one_of(
        mobile,
        mobile.map(lambda text: f"{text[:3]} {text[3:7]} {text[7:]}"),
        mobile.map(lambda text: f"+86 {text}"),
        mobile.map(lambda text: f"{text[:3]}****{text[7:]}"),
        mobile.map(lambda text: text.translate({ord(c): 0xFEE0 + ord(c) for c in string.digits})),
        st.builds(lambda area, number: f"{area}-{number}", st.sampled_from(["010", "0371", "0755"]), fixed),
        st.builds(lambda number, more: f"0371-{number}转{more}", fixed, st.integers(1, 9999)),
        st.sampled_from(["(5) 555-4729", "+49 30 0074321", "手机 停机"]),
    )
    return single | both if two else single


def id_numbers(*, valid: bool = True) -> st.SearchStrategy[str]:
    """Numbers of identity cards (GB 11643). Not valid: a digit that is wrong, two that changed places, a day that is
    not, one too few, a letter."""
    born = st.dates(dt.date(1930, 1, 1), dt.date(2020, 12, 31)).map(lambda day: f"{day:%Y%m%d}")
    body = st.tuples(st.sampled_from([code for code, *_ in DIVISIONS]), born, st.integers(1, 999).map("{:03}".format))
    right = body.map("".join).map(lambda text: text + id_check(text))
    if valid:
        return right
    return st.one_of(
        right.map(lambda text: text[:17] + ("0" if text[17] != "0" else "1")),
        right.map(lambda text: f"{text[:16]}{(int(text[16]) + 1) % 10}{text[17]}"),
        right.map(lambda text: _with_check(f"{text[:10]}1332{text[14:17]}")),
        right.map(lambda text: text[:17]),
        right.map(lambda text: f"{text[:16]}O{text[17]}"),
    )


def credit_codes(*, valid: bool = True) -> st.SearchStrategy[str]:
    """Unified codes of organisations (GB 32100). Not valid: a wrong check character, a letter that no code has, one
    too few."""
    office = st.text(string.digits + "ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8).map(
        lambda text: text + office_check(text)
    )
    head = st.tuples(st.sampled_from(["91", "92", "12"]), st.sampled_from([code for code, *_ in DIVISIONS]), office)
    right = head.map("".join).map(lambda text: text + credit_check(text))
    if valid:
        return right
    return st.one_of(
        right.map(lambda text: text[:17] + _CODE[(_CODE.index(text[17]) + 1) % 31]),
        right.map(lambda text: f"{text[:9]}I{text[10:]}"),
        right.map(lambda text: text[:17]),
    )


def regions() -> st.SearchStrategy[tuple[str, str, str]]:
    """(province, city, district) of an official division."""
    return st.sampled_from([names for _, *names in DIVISIONS]).map(lambda names: (names[0], names[1], names[2]))


def addresses() -> st.SearchStrategy[str]:
    """Addresses in full and in part, in an official division."""
    street = st.builds("{}{}号".format, st.sampled_from(["人民路", "解放大道", "中山東路"]), st.integers(1, 999))
    room = st.sampled_from(["", "3栋2单元401", "院内", "一楼"])
    return st.builds(lambda names, road, rest: "".join([*names, road, rest]), regions(), street, room) | street


def id_check(body: str) -> str:
    """The check character of the first 17 digits of an id number (GB 11643)."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _ID_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def office_check(body: str) -> str:
    """The check character of the eight of an organisation code (GB 11714)."""
    total = sum(_BODY.index(each) * weight for each, weight in zip(body, _OFFICE_WEIGHTS, strict=True))
    return "0X987654321"[total % 11]


def credit_check(body: str) -> str:
    """The check character of the first 17 of a credit code (GB 32100)."""
    total = sum(_CODE.index(each) * weight for each, weight in zip(body, _CODE_WEIGHTS, strict=True))
    return _CODE[-total % 31]


def _with_check(body: str) -> str:
    return body + id_check(body)
