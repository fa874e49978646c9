"""The frame of every page, what is common to several, and the refusals."""

from __future__ import annotations

from typing import Final

FRAME: Final[dict[str, tuple[str, str]]] = {
    "product": ("Quanze audit ledger", "权责审计账本"),
    "product.line": ("Audit ledger for data sharing between agencies", "政务数据共享问责账本"),
    "skip": ("Skip to content", "跳到正文"),
    "language": ("Language", "语言"),
    "nav": ("Main", "主导航"),
    "nav.overview": ("Overview", "总览"),
    "nav.agencies": ("Agencies", "部门"),
    "nav.sharing": ("Who shares what", "共享关系"),
    "nav.agreements": ("Agreements", "协议"),
    "nav.responsibility": ("Responsibility", "责任"),
    "nav.notices": ("Notices", "通报"),
    "nav.log": ("Log", "日志"),
    "nav.ask": ("Ask", "查证"),
    "demo.mark": ("Demonstration", "演示"),
    "demo.title": ("Demonstration ledger.", "演示账本。"),
    "demo": (
        "Everything here was signed with keys made for a demonstration. The bodies named did not sign anything.",
        "此处全部内容均以演示用密钥签署，所列机构并未签署任何文件。",
    ),
    "demo.signature": ("demonstration signature", "演示签名"),
    "demo.agreement": (
        "This agreement was signed with keys made for a demonstration. The bodies named did not sign it.",
        "本协议以演示用密钥签署，所列机构并未签署。",
    ),
    "common.colon": (": ", "："),
    "common.time": ("Time", "时间"),
    "common.block": ("Block", "区块"),
    "common.transaction": ("Transaction", "交易"),
    "common.none": ("None", "无"),
    "common.yes": ("yes", "是"),
    "common.more": ("Next page", "下一页"),
    "common.first": ("First page", "首页"),
    "common.event": ("Event", "事件"),
    "common.shown": ("{part} of {whole} shown.", "显示 {part} 条，共 {whole} 条。"),
    "error.404.title": ("Not found", "未找到"),
    "error.404": (
        "Nothing here has this address. It may be mistyped, or the record may not be public.",
        "此地址下没有内容：地址可能有误，或记录不公开。",
    ),
    "error.405.title": ("Read only", "只读"),
    "error.405": ("These pages can only be read.", "这些页面仅供阅读。"),
    "error.422.title": ("Not understood", "无法理解"),
    "error.422": ("A part of the address has a value that is not allowed.", "地址中有不被接受的值。"),
    "error.503.title": ("Not available now", "暂不可用"),
    "error.503": ("A part of the ledger does not answer. Try again in a moment.", "账本的某一部分未响应，请稍后再试。"),
    "error.500.title": ("Something is wrong here", "本站出错"),
    "error.500": (
        "The page could not be made. The operator's log says why; nothing on the ledger has changed.",
        "页面无法生成，原因见运营方日志；账本内容未受影响。",
    ),
    "error.home": ("Go to the overview", "返回总览"),
    "footer.proves": (
        "The ledger proves when a statement was made and that it is unchanged. It does not prove that it is true.",
        "账本证明陈述作出的时间及其未被更改，不证明陈述属实。",
    ),
    "footer.times": (
        "Times are UTC where no other zone stands beside them.",
        "未注明时区的时间均为协调世界时（UTC）。",
    ),
    "footer.posts": (
        "Pages show agencies and posts, never persons.",
        "页面仅显示部门和岗位，不显示个人。",
    ),
}
