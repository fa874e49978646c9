//! A batch's leaves and receipts (`ledger.domain.leaf`, docs/spec/entry-v1.md section 3), written into buffers of the
//! caller's.

const std = @import("std");
const commit = @import("commit.zig");
const tree = @import("scan.zig");
const Bytes = commit.Bytes;

/// What all events of one kind that are bound alike share, and the end of their receipts.
pub const Template = extern struct {
    before_id: Bytes,
    after_id: Bytes,
    after_prev: Bytes,
    after_seq: Bytes,
    receipt_end: Bytes,
};

pub const Plan = extern struct {
    count: u32,
    templates: u32,
    first_index: u64,
    first_seq: u64,
    leaf_seq: u64,
    template: [*]const Template,
    kind_of: [*]const u16,
    salts: [*]const [commit.salts_bytes]u8,
    others: [*]const [64]u8,
    digests: [*]const [32]u8,
    first_prev: *const [64]u8,
    prev_leaf: *const [64]u8,
    ids: Bytes,
    id_ends: [*]const u32,
    correlations: Bytes,
    correlation_ends: [*]const u32,
    leaf_before: Bytes,
    leaf_after: Bytes,
    receipt_shared: Bytes,
};

/// Text that is written into a buffer of a fixed length.
pub const Text = struct {
    data: []u8,
    at: usize = 0,

    fn put(self: *Text, piece: []const u8) void {
        @memcpy(self.data[self.at..][0..piece.len], piece);
        self.at += piece.len;
    }

    fn putNumber(self: *Text, number: u64) void {
        var digits: [20]u8 = undefined;
        var first: usize = digits.len;
        var rest = number;
        while (true) {
            first -= 1;
            digits[first] = @intCast('0' + rest % 10);
            rest /= 10;
            if (rest == 0) break;
        }
        self.put(digits[first..]);
    }

    fn putHex(self: *Text, bytes: *const [32]u8) void {
        self.put(&std.fmt.bytesToHex(bytes.*, .lower));
    }
};

/// Write the leaves, each after its length as uint16, their hashes, and their receipts with commas between.
pub fn bind(plan: *const Plan, leaves: *Text, hashes: [][32]u8, receipts: *Text) void {
    var prev_event = plan.first_prev.*;
    var prev_leaf = plan.prev_leaf.*;
    const ids = plan.ids.slice();
    const correlations = plan.correlations.slice();
    var id_from: u32 = 0;
    var correlation_from: u32 = 0;
    const templates = plan.template[0..plan.templates];
    for (0..plan.count) |place| {
        const template = &templates[plan.kind_of[place]];
        const id = ids[id_from..plan.id_ends[place]];
        const correlation = correlations[correlation_from..plan.correlation_ends[place]];
        const seq = plan.first_seq + place;
        const commitment = eventRoot(plan, template, place, id, &prev_event, seq);

        const start = leaves.at;
        leaves.at += 2;
        leaves.put(plan.leaf_before.slice());
        leaves.putHex(&commitment);
        leaves.put("\",\"prev\":\"");
        leaves.put(&prev_leaf);
        leaves.put("\",\"seq\":");
        leaves.putNumber(plan.leaf_seq + place);
        leaves.put(plan.leaf_after.slice());
        const leaf = leaves.data[start + 2 .. leaves.at];
        std.mem.writeInt(u16, leaves.data[start..][0..2], @intCast(leaf.len), .big);
        hashes[place] = tree.leafHash(leaf);
        prev_leaf = std.fmt.bytesToHex(hashes[place], .lower);

        if (place > 0) receipts.put(",");
        receipts.put("{\"index\":");
        receipts.putNumber(plan.first_index + place);
        receipts.put(",\"id\":");
        receipts.put(id);
        receipts.put(",\"leaf_hash\":\"");
        receipts.put(&prev_leaf);
        receipts.put(plan.receipt_shared.slice());
        receipts.putNumber(seq);
        receipts.put(",\"correlation\":");
        receipts.put(correlation);
        receipts.put(template.receipt_end.slice());

        prev_event = std.fmt.bytesToHex(plan.digests[place], .lower);
        id_from = plan.id_ends[place];
        correlation_from = plan.correlation_ends[place];
    }
}

fn eventRoot(
    plan: *const Plan,
    template: *const Template,
    place: usize,
    id: []const u8,
    prev: *const [64]u8,
    seq: u64,
) [32]u8 {
    var hash = commit.open(plan.salts[place][0..commit.salt_bytes]);
    hash.update(template.before_id.slice());
    hash.update(id);
    hash.update(template.after_id.slice());
    hash.update(prev);
    hash.update(template.after_prev.slice());
    var digits: [20]u8 = undefined;
    var number = Text{ .data = &digits };
    number.putNumber(seq);
    hash.update(digits[0..number.at]);
    hash.update(template.after_seq.slice());
    const others = &plan.others[place];
    const binding = hash.finalResult();
    const both = tree.nodeHash(&binding, others[0..32]);
    return tree.nodeHash(&both, others[32..64]);
}
