//! What Python calls (`ledger.native.library`). Every buffer is the caller's, with its length; a write beyond one, or
//! any other fault of ours, ends the process (ReleaseSafe) and never goes on.

const line = @import("line.zig");
const scanning = @import("scan.zig");
const committing = @import("commit.zig");
const binding = @import("bind.zig");
const tiles = @import("tile.zig");

/// Take a batch's lines apart. Returns 0, or 1 if they are not the usual ones.
export fn qz_scan(
    body: [*]const u8,
    body_bytes: usize,
    events: [*]line.Event,
    digests: [*][32]u8,
    kind_of: [*]u16,
    unusual: [*]u32,
    events_max: usize,
    examples: [*]u32,
    examples_max: usize,
    found: *scanning.Found,
) c_int {
    found.* = scanning.scan(body[0..body_bytes], &.{
        .events = events[0..events_max],
        .digests = digests[0..events_max],
        .kind_of = kind_of[0..events_max],
        .unusual = unusual[0..events_max],
        .examples = examples[0..examples_max],
    }) catch return 1;
    return 0;
}

/// Write the RFC 6962 root of some hashes, which are overwritten.
export fn qz_root(hashes: [*][32]u8, count: usize, root: *[32]u8) void {
    root.* = scanning.root(hashes[0..count]);
}

/// Write what follows from a batch's lines and salts. `ends` has room for two numbers an event.
export fn qz_commit(
    body: [*]const u8,
    body_bytes: usize,
    events: [*]const line.Event,
    count: usize,
    exchanges: [*]const committing.Exchange,
    exchanges_count: usize,
    pairing: committing.Bytes,
    salts: [*]const [committing.salts_bytes]u8,
    keys: [*]u64,
    others: [*][64]u8,
    ids: [*]u8,
    correlations: [*]u8,
    ends: [*]u32,
    lines: [*]u8,
    lines_bytes: usize,
) void {
    var outputs = committing.Outputs{
        .keys = keys[0..count],
        .others = others[0..count],
        .ids = .{ .data = ids[0..body_bytes], .ends = ends[0..count] },
        .correlations = .{ .data = correlations[0..body_bytes], .ends = ends[count .. 2 * count] },
        .lines = lines[0..lines_bytes],
    };
    committing.commit(
        body[0..body_bytes],
        events[0..count],
        exchanges[0..exchanges_count],
        pairing.slice(),
        salts[0..count],
        &outputs,
    );
}

/// Write a batch's leaves, their hashes and receipts; `lengths` gets how many bytes leaves and receipts take.
export fn qz_bind(
    plan: *const binding.Plan,
    leaves: [*]u8,
    leaves_max: usize,
    hashes: [*][32]u8,
    receipts: [*]u8,
    receipts_max: usize,
    lengths: *[2]usize,
) void {
    var leaf_text = binding.Text{ .data = leaves[0..leaves_max] };
    var receipt_text = binding.Text{ .data = receipts[0..receipts_max] };
    binding.bind(plan, &leaf_text, hashes[0..plan.count], &receipt_text);
    lengths.* = .{ leaf_text.at, receipt_text.at };
}

/// Write a full bundle's leaf hashes and their root. Returns 0, or 1 if it does not hold exactly 256 entries.
export fn qz_bundle(bundle: [*]const u8, bundle_bytes: usize, hashes: *[tiles.width][32]u8, root: *[32]u8) c_int {
    if (!tiles.hashBundle(bundle[0..bundle_bytes], hashes)) return 1;
    var nodes = hashes.*;
    root.* = scanning.root(&nodes);
    return 0;
}
