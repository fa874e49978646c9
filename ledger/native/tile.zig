//! Full entry bundles and tiles (C2SP tlog-tiles): their leaf hashes and roots.

const std = @import("std");
const tree = @import("scan.zig");

pub const width = 256;

/// Hash the entries of a full bundle, each after its length as uint16; false if it does not hold exactly that many.
pub fn hashBundle(bundle: []const u8, hashes: *[width][32]u8) bool {
    var at: usize = 0;
    for (hashes) |*hash| {
        if (bundle.len - at < 2) return false;
        const length = std.mem.readInt(u16, bundle[at..][0..2], .big);
        at += 2;
        if (bundle.len - at < length) return false;
        hash.* = tree.leafHash(bundle[at..][0..length]);
        at += length;
    }
    return at == bundle.len;
}
