"""The log, its entries and their proofs."""

from __future__ import annotations

from typing import Final

PROOFS: Final[dict[str, tuple[str, str]]] = {
    "log.title": ("The log", "日志"),
    "log.lead": (
        (
            "Every reported event is one entry of an append-only Merkle log. The contract that holds its anchors"
            " itself checks that the log only grew."
        ),
        "每一上报事件为只增默克尔日志中的一个条目；保存锚定的合约自行验证日志只增不改。",
    ),
    "log.size": ("Entries", "条目数"),
    "log.root": ("Root", "根哈希"),
    "log.origin": ("Origin", "来源名"),
    "log.key": ("Verification key", "验证公钥"),
    "log.covered": ("Anchored", "已锚定"),
    "log.checkpoint": ("Newest checkpoint", "最新检查点"),
    "log.checkpoint.hint": (
        "Keep a copy. A checkpoint held elsewhere is what shows a rewritten log.",
        "请留存副本：保存在他处的检查点可揭示日志被改写。",
    ),
    "log.checkpoint.file": ("Download the checkpoint", "下载检查点"),
    "log.anchors": ("Anchors on chain", "链上锚定"),
    "log.anchors.of": ("The newest {part} of {whole}.", "最近 {part} 次，共 {whole} 次。"),
    "log.anchors.none": (
        "Nothing has been anchored yet. An anchor follows within seconds of the first entry.",
        "尚未锚定。首个条目出现后数秒内将锚定。",
    ),
    "log.anchored": ("Block", "区块"),
    "log.entries": ("Entries, newest first", "条目（由新到旧）"),
    "log.entries.none": (
        "The log is empty. A platform submits events with `quanze event append` or over the API.",
        "日志为空。平台可用 `quanze event append` 或接口上报事件。",
    ),
    "log.entry": ("Entry", "条目"),
    "log.find": ("Number of an entry", "条目序号"),
    "log.open": ("Open entry", "打开条目"),
    "log.notanchored": ("not yet", "尚未"),
    "entry.title": ("Log entry {index}", "日志条目 {index}"),
    "entry.lead": ("Entry {index} of {whole}, counted from 0.", "第 {index} 号条目，共 {whole} 条（自 0 起）。"),
    "entry.leaf": ("The entry", "条目内容"),
    "entry.leafhash": ("Leaf hash", "叶哈希"),
    "entry.commitment": ("Commitment to the event", "事件承诺值"),
    "entry.stream": ("Stream", "流"),
    "entry.seq": ("Number in its stream", "流内序号"),
    "entry.prev": ("Previous entry of the stream", "流内前一条目"),
    "entry.first": ("none: the first of its stream", "无：流内首条"),
    "entry.block": ("Bound to block", "绑定区块"),
    "entry.accepted": ("Accepted (the operator's claim)", "受理时间（运营方声明）"),
    "entry.state": ("How far it has come", "所处状态"),
    "entry.state.accepted": ("Accepted (the operator's claim)", "已受理（运营方声明）"),
    "entry.state.included": ("Included in a signed checkpoint", "已纳入签名检查点"),
    "entry.state.anchored": ("Anchored on chain", "已上链锚定"),
    "entry.state.final": ("Final", "已最终确认"),
    "entry.state.notyet": ("not yet", "尚未"),
    "entry.state.notfinal": ("in a block that is not final yet", "所在区块尚未最终确认"),
    "entry.state.before": ("before this service started", "早于本服务启动"),
    "entry.bytes": ("Exact bytes of the entry", "条目原始字节"),
    "entry.previous": ("Previous entry", "上一条目"),
    "entry.next": ("Next entry", "下一条目"),
    "entry.private": (
        "The event itself is not public: the log holds only a salted commitment to it.",
        "事件内容不公开，日志中仅有其加盐承诺值。",
    ),
    "entry.unproved": (
        "No checkpoint covers this entry yet. One follows within a second: load the page again.",
        "尚无检查点覆盖此条目，一秒内即会发布，请重新载入页面。",
    ),
    "entry.shown": ("The event (demonstration)", "事件内容（演示）"),
    "entry.shown.lead": (
        "Shown because this ledger was made for a demonstration. Elsewhere only the parties can read it.",
        "因本账本为演示而建故予显示；正式账本中仅当事方可读。",
    ),
    "entry.verdict": ("Verdict", "比对结果"),
    "entry.verdict.hint": (
        "A comparison, not a finding. Only a signed decision makes a violation.",
        "仅为比对，不构成认定；违规须经签署的决定认定。",
    ),
    "entry.responsible": ("Responsible post", "责任岗位"),
    "entry.occurred": ("Occurred", "发生时间"),
    "entry.side": ("Reported by", "上报方"),
    "entry.kind": ("Kind", "类别"),
    "entry.outcome": ("Outcome", "结果"),
    "entry.requester": ("Requester", "需求部门"),
    "entry.claimed": ("Agreement claimed", "所称协议"),
    "entry.flags": ("Remarks", "备注"),
    "proof.title": ("Proof of inclusion", "包含证明"),
    "proof.anchored": (
        "Under the root that block {block} anchored, for a log of {size} entries.",
        "根哈希于区块 {block} 锚定，对应 {size} 条日志。",
    ),
    "proof.checkpoint": (
        "Under the newest checkpoint, for a log of {size} entries. Not yet anchored on chain.",
        "根哈希取自最新检查点，对应 {size} 条日志；尚未在链上锚定。",
    ),
    "proof.picture": ("Merkle path from the entry to the root", "自条目至根的默克尔路径"),
    "proof.picture.desc": (
        "The entry's hash is at the bottom and the root at the top; each step hashes two values into the one above.",
        "条目哈希在底部，根哈希在顶部；每一步将两个值合并为上方的值。",
    ),
    "proof.node.leaf": ("entry", "条目"),
    "proof.node.root": ("root", "根"),
    "proof.node.given": ("neighbour", "相邻值"),
    "proof.steps": ("The same path in words", "路径明细"),
    "proof.step": ("Step", "步骤"),
    "proof.side": ("Neighbour stands", "相邻值位置"),
    "proof.left": ("left", "左"),
    "proof.right": ("right", "右"),
    "proof.neighbour": ("Neighbour", "相邻值"),
    "proof.value": ("Value after the step", "合并后的值"),
    "proof.none": (
        "The log had one entry: its hash is the root.",
        "日志仅有一个条目，其哈希即为根哈希。",
    ),
    "proof.anchor": ("Anchor", "锚定"),
    "verify.title": ("Check it yourself", "自行核验"),
    "verify.lead": (
        (
            "Your browser fetches the entry's bytes and the path, hashes them, and compares the result with the root"
            " below. Put in a root that you hold from elsewhere to trust nothing that this page says."
        ),
        "浏览器将获取条目字节与路径，自行计算哈希，并与下列根哈希比较。如填入您从他处取得的根哈希，则无须信任本页内容。",
    ),
    "verify.root": ("Root to compare with (hex)", "用于比较的根哈希（十六进制）"),
    "verify.button": ("Verify in this browser", "在本浏览器中核验"),
    "verify.script": (
        "Verifying here needs JavaScript. Without it, use `quanze verify` on an evidence file.",
        "在此核验需要 JavaScript；亦可用 `quanze verify` 核验证据文件。",
    ),
    "verify.ok": (
        "Verified: this entry is included under the root shown.",
        "核验通过：该条目包含于所示根哈希之下。",
    ),
    "verify.bad": ("Refused: the proof does not lead to the root.", "核验失败：证明不能推导至该根哈希。"),
    "verify.failed": ("Not verified: the proof could not be fetched or read.", "未能核验：无法获取或读取证明。"),
    "verify.running": ("Verifying…", "正在核验…"),
    "verify.unsupported": (
        "Not verified: this browser computes hashes only on a secure connection (HTTPS or localhost).",
        "未能核验：浏览器仅在安全连接（HTTPS 或本机）下计算哈希。",
    ),
}
