"""The explorer's two languages: one table of messages, each in English and Simplified Chinese.

A page names a message by its key; a key that either language lacks is a bug that a test finds.
"""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "zh"]

MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "product": ("Quanze audit ledger", "权责审计账本"),
    "skip": ("Skip to content", "跳到正文"),
    "language": ("Language", "语言"),
    "nav": ("Main", "主导航"),
    "nav.overview": ("Overview", "总览"),
    "nav.agencies": ("Agencies", "部门"),
    "nav.sharing": ("Who shares what", "共享关系"),
    "nav.agreements": ("Agreements", "协议"),
    "nav.notices": ("Notices", "通报"),
    "nav.log": ("Log", "日志"),
    "nav.responsibility": ("Responsibility", "责任"),
    "demo": (
        "Demonstration: agreements here were signed with generated keys. The bodies named did not sign them.",
        "演示数据：此处协议由自动生成的密钥签署，所列机构并未实际签署。",
    ),
    "overview.title": ("What this ledger holds", "账本概况"),
    "overview.lead": (
        (
            "Who agreed to share what, who answers for it, and what was then done. Everything here can be checked"
            " without trusting the operator."
        ),
        "谁同意共享什么数据、由谁负责、之后发生了什么。此处内容均可在不信任运营方的前提下核验。",
    ),
    "overview.coverage": ("Coverage", "覆盖范围"),
    "overview.coverage.text": (
        (
            "{agencies} agencies are registered; {providing} of them have catalogue entries. {bound} of {events} events"
            " name an agreement on the ledger."
        ),
        "已登记部门 {agencies} 个，其中 {providing} 个有目录条目。{events} 条事件中有 {bound} 条指明了账本上的协议。",
    ),
    "count.agencies": ("Agencies", "部门"),
    "count.datasets": ("Catalogue entries", "目录条目"),
    "count.agreements": ("Agreements", "协议"),
    "count.active": ("in force", "有效"),
    "count.events": ("Events anchored", "已锚定事件"),
    "count.within": ("within scope", "在授权范围内"),
    "count.notices": ("Notices", "通报"),
    "count.closed": ("rectified and closed", "已整改销号"),
    "of": ("{part} of {whole}", "{whole} 中的 {part}"),
    "agencies.title": ("Agencies", "部门"),
    "agency.id": ("Identifier", "标识"),
    "agency.name": ("Name", "名称"),
    "agency.state": ("State", "状态"),
    "agency.posts": ("Posts", "岗位"),
    "agency.keys": ("Keys", "密钥"),
    "agency.roles": ("Roles", "角色"),
    "state.LIVE": ("Registered", "已登记"),
    "state.SUSPENDED": ("Suspended", "已暂停"),
    "state.PROPOSED": ("Proposed, not all have signed", "已提出，尚未全部签署"),
    "state.ACTIVE": ("In force", "有效"),
    "state.TERMINATED": ("Terminated", "已终止"),
    "state.DISPOSED": ("Data disposed of", "数据已销毁"),
    "state.CANCELLED": ("Withdrawn before signing", "签署前撤回"),
    "state.RETIRED": ("Retired", "已停用"),
    "agreements.title": ("Agreements", "协议"),
    "agreement.title": ("Agreement", "协议"),
    "agreement.reference": ("Reference", "编号"),
    "agreement.provider": ("Provider", "提供部门"),
    "agreement.parties": ("Parties", "缔约方"),
    "agreement.version": ("Version", "版本"),
    "agreement.versions": ("Versions and signatures", "版本与签署"),
    "agreement.grants": ("What may be shared", "授权内容"),
    "agreement.signed": ("Signed", "已签署"),
    "agreement.unsigned": ("Not signed", "未签署"),
    "agreement.signatures": ("Signatures", "签名"),
    "agreement.basis": ("Legal basis", "法律依据"),
    "agreement.noreview": ("No security review was required", "无需安全审查"),
    "agreement.review": ("Security review valid until", "安全审查有效期至"),
    "agreement.history": ("History", "历史"),
    "grant.dataset": ("Dataset", "数据集"),
    "grant.recipient": ("Recipient", "接收方"),
    "grant.purpose": ("Purpose", "用途"),
    "grant.delivery": ("Delivery", "交付方式"),
    "grant.from": ("From", "起"),
    "grant.until": ("Until", "止"),
    "grant.open": ("Open-ended", "未定期限"),
    "sharing.title": ("What is shared between two agencies", "两部门之间共享什么"),
    "sharing.provider": ("Provider", "提供部门"),
    "sharing.recipient": ("Recipient", "接收方"),
    "sharing.show": ("Show", "查询"),
    "sharing.none": (
        "No agreement on this ledger lets this recipient receive data from this provider.",
        "账本上没有允许该接收方从该提供部门接收数据的协议。",
    ),
    "responsibility.title": ("Who answered for it, and when", "责任时间线"),
    "responsibility.object": ("Object", "对象"),
    "responsibility.duty": ("Duty", "职责"),
    "responsibility.post": ("Post", "岗位"),
    "responsibility.role": ("Role", "角色"),
    "responsibility.accepted": ("Accepted", "已接受"),
    "responsibility.proposed": ("Not accepted: does not count", "未接受：不计入"),
    "responsibility.gap": ("Vacant", "空缺"),
    "responsibility.picture": (
        "Timeline: one row for each duty; a filled bar is an accepted lead, a hatched part is a vacancy.",
        "时间线：每行一项职责；实心条为已接受的主责，斜纹为空缺。",
    ),
    "responsibility.none": ("Nobody has been assigned a duty for this object.", "尚未为该对象指定责任岗位。"),
    "notices.title": ("Notices of violations", "违规通报"),
    "notices.lead": (
        "A case appears here only once its notice is issued. An alert is never a finding.",
        "案件仅在通报发布后显示。预警不等于认定。",
    ),
    "notices.none": ("No notice has been issued.", "尚无通报。"),
    "notice.respondent": ("Respondent", "被通报单位"),
    "notice.issued": ("Issued", "发布日期"),
    "notice.state": ("State", "状态"),
    "notice.authority": ("Authority", "主管部门"),
    "notice.articles": ("Violations", "违规条款"),
    "notice.measure": ("Measures", "处理措施"),
    "log.title": ("The log", "日志"),
    "log.size": ("Entries", "条目数"),
    "log.root": ("Root", "根哈希"),
    "log.origin": ("Origin", "来源名"),
    "log.checkpoint": ("Latest checkpoint", "最新检查点"),
    "log.anchors": ("Anchors on chain", "链上锚定"),
    "log.anchored": ("Anchored in block", "锚定于区块"),
    "log.entries": ("Recent entries", "最近条目"),
    "event.title": ("Log entry {index}", "日志条目 {index}"),
    "event.leaf": ("Leaf", "叶节点"),
    "event.leafhash": ("Leaf hash", "叶哈希"),
    "event.commitment": ("Commitment", "承诺值"),
    "event.stream": ("Stream", "流"),
    "event.seq": ("Sequence number", "序号"),
    "event.block": ("Bound to block", "绑定区块"),
    "event.accepted": ("Accepted (the operator's claim)", "受理时间（运营方声明）"),
    "event.proof": ("Proof of inclusion", "包含证明"),
    "event.proof.text": (
        "Each step hashes the value so far with the neighbour shown. The last value must equal the root.",
        "每一步将当前值与所示相邻值合并哈希，最后的值必须等于根哈希。",
    ),
    "event.verify": ("Verify in this browser", "在本浏览器中核验"),
    "event.private": (
        "The event itself is not public. Only its salted commitment is in the log.",
        "事件内容不公开，日志中仅有其加盐承诺值。",
    ),
    "event.unanchored": ("Not yet anchored on chain", "尚未在链上锚定"),
    "verify.ok": (
        "Verified here: this entry is included under the root shown.",
        "已在本地核验：该条目包含于所示根哈希之下。",
    ),
    "verify.bad": ("Refused: the proof does not lead to the root.", "核验失败：证明不能推导至根哈希。"),
    "verify.running": ("Verifying…", "正在核验…"),
    "common.time": ("Time", "时间"),
    "common.block": ("Block", "区块"),
    "common.transaction": ("Transaction", "交易"),
    "common.none": ("None", "无"),
    "common.more": ("Next page", "下一页"),
    "common.first": ("First page", "首页"),
    "common.level": ("Level", "层"),
    "common.side": ("Neighbour", "相邻值"),
    "common.left": ("left", "左"),
    "common.right": ("right", "右"),
    "common.event": ("Event", "事件"),
    "error.404": ("Nothing here has this address.", "此地址下没有内容。"),
    "error.title": ("Not found", "未找到"),
    "footer.proves": (
        "The ledger proves when a statement was made and that it is unchanged. It does not prove that it is true.",
        "账本证明陈述作出的时间及其未被更改，不证明陈述属实。",
    ),
}


class UnknownMessageError(KeyError):
    """A page asked for a message that the table does not hold: a fault of ours."""


def translate(language: Language, key: str, **values: object) -> str:
    """Return the message ``key`` in ``language`` with ``values`` filled in.

    Raises:
        UnknownMessageError: the key is not in the table.
    """
    try:
        pair = MESSAGES[key]
    except KeyError as missing:
        raise UnknownMessageError(key) from missing
    text = pair[0] if language == "en" else pair[1]
    return text.format(**values) if values else text


def choose_language(wanted: str | None, accept_language: str) -> Language:
    """Return the language asked for, else the better of the two in ``Accept-Language``, else Chinese."""
    if wanted in {"en", "zh"}:
        return "en" if wanted == "en" else "zh"
    best: tuple[float, Language] = (0.0, "zh")
    for part in accept_language.split(","):
        tag, _, quality = part.strip().partition(";q=")
        primary = tag.split("-")[0].lower()
        if primary not in {"en", "zh"}:
            continue
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if weight > best[0]:
            best = (weight, "en" if primary == "en" else "zh")
    return best[1]
