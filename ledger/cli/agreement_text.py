"""An agreement's terms as the person who signs reads them, in Chinese or English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from ledger.cli.output import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "agreement": "Agreement",
        "version": "version",
        "status": "Status",
        "provider": "Provider",
        "party": "Party",
        "text": "Text",
        "review": "Security review",
        "no_review": "NO_SECURITY_REVIEW: every granted dataset says that none is required",
        "valid_until": "valid until",
        "dataset": "Dataset",
        "recipient": "Recipient",
        "purpose": "Purpose",
        "delivery": "Delivery",
        "window": "Window",
        "open": "open-ended",
        "until": "to",
        "id": "id",
        "title": "title",
        "legal_bases": "legal bases",
        "post": "Signed as",
        "tx": "Transaction",
        "block": "Block",
        "receipt": "Receipt",
        "signatures": "Signatures",
        "missing": "not signed yet",
        "terms_hash": "Hash that is signed",
        "demonstration": "DEMONSTRATION: signed with generated keys; the bodies named have signed nothing.",
        "question": "Sign these terms as {post}?",
    },
    "zh": {
        "agreement": "共享协议",
        "version": "版本",
        "status": "状态",
        "provider": "提供部门",
        "party": "当事方",
        "text": "正文",
        "review": "安全审查",
        "no_review": "NO_SECURITY_REVIEW：所涉目录条目均载明无需安全审查",
        "valid_until": "有效期至",
        "dataset": "数据",
        "recipient": "接收方",
        "purpose": "用途",
        "delivery": "方式",
        "window": "期限",
        "open": "无期限",
        "until": "至",
        "id": "编号",
        "title": "标题",
        "legal_bases": "法律依据",
        "post": "签署岗位",
        "tx": "交易",
        "block": "区块",
        "receipt": "回执文件",
        "signatures": "签署",
        "missing": "尚未签署",
        "terms_hash": "所签摘要",
        "demonstration": "演示：以生成的密钥签署，所列机构并未签署任何文件。",
        "question": "以 {post} 的名义签署上述条款？",
    },
}
_STATUS_ZH: Mapping[str, str] = {
    "PROPOSED": "待签署",
    "ACTIVE": "生效",
    "SUSPENDED": "暂停",
    "TERMINATED": "终止",
    "DISPOSED": "已处置",
    "CANCELLED": "已撤回",
}
_TEXTS = ("title", "legal_bases")
"""The text's fields that have a name of ours; the others are named by the drafter."""
_DELIVERY_ZH: Mapping[str, str] = {
    "INTERFACE": "服务接口",
    "BATCH": "批量交换",
    "FILE": "文件下载",
    "COMPUTE_TO_DATA": "数据不出域计算",
    "VERIFY_ONLY": "仅核验",
}


def question(language: str, post: str) -> str:
    """Return the question that is asked before signing."""
    return _WORDS[language]["question"].format(post=plain(post))


def render(out: Console, result: Mapping[str, Any], language: str) -> None:
    """Print the newest version's terms, who has signed them, and the versions before."""
    words = _WORDS[language]
    version = result["versions"][-1]
    status = result["status"]
    out.print(Text(f"{words['agreement']} {plain(result['reference'] or result['agreement'])}", style="bold"))
    _line(out, words["id"], result["agreement"])
    _line(out, words["version"], version["version"])
    _line(out, words["status"], _status(status, language))
    if result["demonstration"]:
        out.print(Text(words["demonstration"], style="bold yellow"))
    for index, party in enumerate(version["parties"]):
        name = party["name_zh"] if language == "zh" and party["name_zh"] else party["name_en"] or party["name_zh"]
        _line(out, words["provider"] if index == 0 else words["party"], f"{name} ({party['agency']})")
    for name, value in version["text"].items():
        _line(out, words[name] if name in _TEXTS else name, value)
    _line(out, words["review"], _review(version, words))
    out.print(_grants(version, words, language))
    out.print(Text(f"{words['signatures']}:"))
    for party in version["parties"]:
        signed = party["signed_by"]
        _line(out, f"  {party['agency']}", f"{signed} {party['signed_at']}" if signed else words["missing"])
    _line(out, words["terms_hash"], version["terms_hash"])


def render_signed(out: Console, signed: Mapping[str, Any], language: str) -> None:
    """Print what a signature led to, and where its receipt is."""
    words = _WORDS[language]
    name = plain(signed["reference"] or signed["agreement"])
    _line(out, words["agreement"], f"{name}, {words['version']} {signed['version']}")
    _line(out, words["id"], signed["agreement"])
    _line(out, words["status"], _status(signed["status"], language))
    for name in ("post", "tx", "block", "receipt"):
        _line(out, words[name], signed[name])


def _status(status: str, language: str) -> str:
    return f"{_STATUS_ZH.get(status, status)} ({status})" if language == "zh" else status


def _line(out: Console, label: str, value: object) -> None:
    out.print(Text(f"{plain(label)}: {plain(value)}"))


def _review(version: Mapping[str, Any], words: Mapping[str, str]) -> str:
    review = version["security_review"]
    if review is None:
        return words["no_review"]
    stated = version["stated"]
    until = stated["review_valid_until"]
    return f"{words['valid_until']} " + (f"{until} ({stated['zone']})" if until else str(review["valid_until"]))


def _window(grant: Mapping[str, Any], stated: Mapping[str, Any], zone: str, words: Mapping[str, str]) -> str:
    """Return the legal dates with their zone, or the instants on chain where the text does not state those."""
    starts, ends = (stated["starts"], stated["ends"]) if stated["starts"] else (grant["valid_from"], grant["valid_to"])
    window = f"{starts} {words['until']} {ends or words['open']}"
    return f"{window} ({zone})" if stated["starts"] else window


def _grants(version: Mapping[str, Any], words: Mapping[str, str], language: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("dataset", "recipient", "purpose", "delivery", "window"):
        table.add_column(words[name], overflow="fold")
    stated = version["stated"]
    for grant, window in zip(version["grants"], stated["windows"], strict=True):
        delivery = grant["delivery"]
        table.add_row(
            Text(f"{plain(grant['dataset'])} v{grant['dataset_version']}"),
            Text(plain(grant["recipient"])),
            Text(plain(grant["purpose"])),
            Text(_DELIVERY_ZH.get(delivery, delivery) if language == "zh" else delivery),
            Text(plain(_window(grant, window, stated["zone"], words))),
        )
    return table
