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
        "from": "From",
        "to": "To",
        "open": "open-ended",
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
        "from": "起",
        "to": "止",
        "open": "无期限",
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
    _line(out, "id", result["agreement"])
    _line(out, words["version"], version["version"])
    _line(out, words["status"], f"{_STATUS_ZH.get(status, status)} ({status})" if language == "zh" else status)
    if result["demonstration"]:
        out.print(Text(words["demonstration"], style="bold yellow"))
    for index, party in enumerate(version["parties"]):
        name = party["name_zh"] if language == "zh" and party["name_zh"] else party["name_en"] or party["name_zh"]
        _line(out, words["provider"] if index == 0 else words["party"], f"{name} ({party['agency']})")
    for name, value in version["text"].items():
        _line(out, name, value)
    _line(out, words["review"], _review(version, words))
    out.print(_grants(version["grants"], words, language))
    out.print(Text(f"{words['signatures']}:"))
    for party in version["parties"]:
        signed = party["signed_by"]
        _line(out, f"  {party['agency']}", f"{signed} {party['signed_at']}" if signed else words["missing"])
    _line(out, words["terms_hash"], version["terms_hash"])


def _line(out: Console, label: str, value: object) -> None:
    out.print(Text(f"{plain(label)}: {plain(value)}"))


def _review(version: Mapping[str, Any], words: Mapping[str, str]) -> str:
    review = version["security_review"]
    return words["no_review"] if review is None else f"{words['valid_until']} {review['valid_until']}"


def _grants(grants: list[Mapping[str, Any]], words: Mapping[str, str], language: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("dataset", "recipient", "purpose", "delivery", "from", "to"):
        table.add_column(words[name], overflow="fold")
    for grant in grants:
        delivery = grant["delivery"]
        table.add_row(
            Text(f"{plain(grant['dataset'])} v{grant['dataset_version']}"),
            Text(plain(grant["recipient"])),
            Text(plain(grant["purpose"])),
            Text(_DELIVERY_ZH.get(delivery, delivery) if language == "zh" else delivery),
            Text(plain(grant["valid_from"])),
            Text(grant["valid_to"] or words["open"]),
        )
    return table
