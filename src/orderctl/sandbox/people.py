"""The invented world: places, goods and wishes. Places exist, nobody in them does.

The one invariant: every name says that it is a specimen, and every telephone number is of a range nobody owns.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

STEMS = "甲乙丙丁戊己庚辛壬癸"
BRANCHES = "子丑寅卯辰巳午未申酉戌亥"


@dataclass(frozen=True)
class Good:
    """One article; prices in minor units of CNY and USD."""

    sku: str
    title: str
    spec: str
    english: str
    variant: str
    cny: int
    usd: int
    item: int

    @property
    def sku_id(self) -> str:
        """The platform's own id of the variant."""
        return str(4_800_000_000_000 + self.item)


GOODS = (
    Good("TS-BLK-L", "纯棉T恤", "颜色分类:黑色;尺码:L", "Cotton T-shirt", "Black / L", 4900, 1800, 1),
    Good("TS-WHT-M", "纯棉T恤", "颜色分类:白色;尺码:M", "Cotton T-shirt", "White / M", 4900, 1800, 2),
    Good("SK-WHT", "中筒棉袜", "颜色分类:白色", "Cotton socks", "White", 1000, 500, 3),
    Good("CUP-BLUE", "陶瓷马克杯", "颜色分类:蓝色", "Stoneware mug", "Blue", 2990, 1450, 4),
    Good("TEA-50", "高山绿茶 50克", "规格:50克罐装", "Green tea", "50 g tin", 5800, 2200, 5),
    Good("CANDLE-CEDAR", "雪松香薰蜡烛", "净含量:300克", "Cedar candle", "300 g", 8800, 2000, 6),
    Good("MAT-GRN", "瑜伽垫 6毫米", "颜色分类:墨绿", "Yoga mat", "Green", 9900, 3900, 7),
)
UNKNOWN = Good(
    "XX-UNKNOWN", "新品试销（未建档）", "颜色分类:随机", "Unlisted sample", "Assorted", 1990, 900, 99
)


@dataclass(frozen=True)
class Place:
    """Where somebody lives, as a platform names it; `code` leads the sort code (三段码)."""

    province: str
    city: str
    district: str
    town: str
    postcode: str
    code: str
    iso: str


PLACES = (
    Place("浙江省", "杭州市", "余杭区", "五常街道", "311100", "571-A03", "ZJ"),
    Place("广东省", "深圳市", "南山区", "粤海街道", "518000", "755-B12", "GD"),
    Place("江苏省", "苏州市", "工业园区", "唯亭街道", "215000", "512-C07", "JS"),
    Place("四川省", "成都市", "武侯区", "望江路街道", "610000", "028-D21", "SC"),
    Place("湖北省", "武汉市", "洪山区", "关山街道", "430000", "027-E09", "HB"),
    Place("陕西省", "西安市", "雁塔区", "小寨路街道", "710000", "029-F18", "SN"),
    Place("山东省", "青岛市", "市南区", "香港中路街道", "266000", "532-G05", "SD"),
    Place("福建省", "厦门市", "思明区", "莲前街道", "361000", "592-H11", "FJ"),
    Place("河南省", "郑州市", "金水区", "文化路街道", "450000", "371-J02", "HA"),
    Place("湖南省", "长沙市", "岳麓区", "麓谷街道", "410000", "731-K14", "HN"),
    Place("辽宁省", "大连市", "沙河口区", "黑石礁街道", "116000", "411-L08", "LN"),
    Place("云南省", "昆明市", "五华区", "莲华街道", "650000", "871-M16", "YN"),
)
SHANGHAI = Place("上海", "上海市", "浦东新区", "陆家嘴街道", "200000", "021-P01", "SH")
BEIJING = Place("北京", "北京市", "朝阳区", "望京街道", "100000", "010-P02", "BJ")
CHONGQING = Place("重庆", "重庆市", "渝北区", "龙溪街道", "400000", "023-P03", "CQ")
XINJIANG = Place("新疆维吾尔自治区", "乌鲁木齐市", "天山区", "新华南路街道", "830000", "991-X01", "XJ")
GUANGXI = Place("广西壮族自治区", "南宁市", "青秀区", "新竹街道", "530000", "771-X02", "GX")
TIBET = Place("西藏自治区", "拉萨市", "城关区", "八廓街道", "850000", "891-X03", "XZ")
MONGOLIA = Place("内蒙古自治区", "呼和浩特市", "新城区", "锡林路街道", "010000", "471-X04", "NM")
DONGGUAN = Place("广东省", "东莞市", "", "长安镇", "523000", "769-X05", "GD")
XIANTAO = Place("湖北省", "", "仙桃市", "沙嘴街道", "433000", "728-X06", "HB")
"""A county-level city directly under its province: no city, the district holds it."""
EVERYWHERE = (*PLACES, SHANGHAI, BEIJING, CHONGQING, XINJIANG, GUANGXI, TIBET, MONGOLIA, DONGGUAN)


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist, at an address that does not exist in a place that does."""

    name: str
    mobile: str
    place: Place
    street: str

    @property
    def key(self) -> str:
        """Equal for the same recipient, and only then."""
        return "|".join(
            (
                self.name,
                self.mobile,
                self.place.province,
                self.place.city,
                self.place.district,
                self.place.town,
                self.street,
            )
        )


def invent_person(dice: Random, place: Place | None = None) -> Person:
    """Give a new specimen of a recipient."""
    where = place or dice.choice(EVERYWHERE if dice.random() < 0.3 else PLACES)
    name = "测试" + dice.choice(STEMS) + (dice.choice(BRANCHES) if dice.random() < 0.8 else "")
    street = f"样例路{dice.randint(1, 999)}号{dice.randint(1, 40)}幢{dice.randint(101, 3004)}室"
    return Person(name, f"1380000{dice.randint(1, 9999):04d}", where, street)


NOTES = (
    "请尽快发货，谢谢", "麻烦包装严实一点", "周末送货，工作日不在家", "放门口就行", "送人的，不要放价格单",
    "白色没货可以换黑色吗", "到了打电话",
)  # fmt: skip
WISHES = ("要顺丰，运费我补", "不要发圆通", "发中通或者韵达都可以，别发圆通", "请发顺丰到付")
MEMOS = ("老客户，送一双袜子", "已电联，发顺丰", "不要发圆通，客户投诉过", "等补货一起发")
NASTY_NOTE = "=cmd|'/C calc'!A0\t第二行\x07\x1b[31m红\x1b[0m\u202e反"
EMOJI_NOTE = "生日礼物🎂请写卡片：祝你天天开心😊👨‍👩‍👧"
HARMLESS_CONTROL_NOTE = "两行留言\n第二行\x00有空字符"

ABROAD = {
    "US": (
        ("Jane", "Sample", None, "1 Example Street", "Apt 2B", "Springfield", "Illinois", "IL", "62701",
         "United States", "+1 217-555-0101"),
        ("Max", "Specimen", "Test Labs", "250 Placeholder Ave", None, "Portland", "Oregon", "OR", "97201",
         "United States", "+1 503-555-0102"),
        ("Ann", "Nobody", None, "77 Fictional Road", None, "Austin", "Texas", "TX", "73301",
         "United States", "+1 512-555-0103"),
    ),
    "DE": (
        ("Erika", "Mustermann", None, "Musterstraße 1", None, "Musterstadt", None, None, "01067",
         "Germany", "+49 30 23125 001"),
    ),
    "JP": (
        ("太郎", "見本", None, "見本町1-1", "サンプルビル101", "千代田区", "Tōkyō", "JP-13", "100-0001",
         "Japan", "+81 3-0000-0001"),
    ),
}  # fmt: skip
