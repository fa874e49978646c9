//! A batch's lines taken apart: every event's place, digest and kind, and whether they follow each other.
//!
//! Events are of one kind if they claim the same, byte by byte, in the same second. One line of each kind is named; who
//! asks must check what it claims, and look at each event that is odd.

const std = @import("std");
const line = @import("line.zig");
const Event = line.Event;
const Sha256 = std.crypto.hash.sha2.Sha256;

const table_size = 1 << 14;
/// A quarter of the table is taken at most, where 15 looks were the most in a thousand full ones. Claims are anybody's
/// bytes before the signature is checked, so somebody may choose ones that fall on one place.
const max_looks = 64;

pub const Found = extern struct {
    count: u32,
    kinds: u32,
    /// How many events are odd, or have no correlation: their places are named.
    unusual: u32,
    latest_ms: u64,
};

/// What `scan` writes; as many events are read as there is room for, and no more.
pub const Outputs = struct {
    events: []Event,
    digests: [][32]u8,
    kind_of: []u16,
    examples: []u32,
    unusual: []u32,
};

const Kinds = struct {
    body: []const u8,
    events: []const Event,
    examples: []u32,
    known: usize = 0,
    last: u32 = 0,
    places: [table_size]u16 = @splat(0),

    /// Return the kind of an event, a new one if there is none like it.
    fn of(self: *Kinds, at: usize) line.Refused!u32 {
        const one = &self.events[at];
        if (self.known > 0 and self.isLike(one, &self.events[self.examples[self.last]])) return self.last;
        var slot: usize = @intCast(self.hashOf(one) % table_size);
        var looks: usize = 0;
        while (self.places[slot] != 0) : (slot = (slot + 1) % table_size) {
            if (looks == max_looks) return error.Refused;
            looks += 1;
            const kind: u32 = self.places[slot] - 1;
            if (self.isLike(one, &self.events[self.examples[kind]])) {
                self.last = kind;
                return kind;
            }
        }
        if (self.known == self.examples.len) return error.Refused;
        self.examples[self.known] = @intCast(at);
        self.last = @intCast(self.known);
        self.known += 1;
        self.places[slot] = @intCast(self.known);
        return self.last;
    }

    fn isLike(self: *const Kinds, one: *const Event, other: *const Event) bool {
        if (one.time_ms / 1000 != other.time_ms / 1000) return false;
        for (claims(one), claims(other)) |a, b| {
            if (!std.mem.eql(u8, self.body[a[0]..a[1]], self.body[b[0]..b[1]])) return false;
        }
        return true;
    }

    fn hashOf(self: *const Kinds, one: *const Event) u64 {
        var hash = std.hash.Wyhash.init(one.time_ms / 1000);
        for (claims(one)) |part| hash.update(self.body[part[0]..part[1]]);
        return hash.final();
    }
};

/// All of a line but what the event has for itself.
fn claims(one: *const Event) [8][2]u32 {
    return .{
        .{ one.start, one.correlation },
        .{ one.correlation_end, one.id },
        .{ one.id_end, one.time },
        .{ one.time_end, one.prev },
        .{ one.prev_end, one.seq },
        .{ one.seq_end, one.size },
        .{ one.size_end, one.source },
        .{ one.source_end, one.end },
    };
}

pub fn scan(body: []const u8, outputs: *const Outputs) line.Refused!Found {
    const events = outputs.events;
    const digests = outputs.digests;
    var reader = line.Reader{ .body = body, .at = 0 };
    var kinds = Kinds{ .body = body, .events = events, .examples = outputs.examples };
    var latest: u64 = 0;
    var count: usize = 0;
    var unusual: usize = 0;
    while (true) : (count += 1) {
        if (count == events.len) return error.Refused;
        events[count] = try reader.event();
        const one = &events[count];
        digests[count] = leafHash(body[one.start..one.end]);
        if (count > 0) try follows(body, one, &events[count - 1], &digests[count - 1]);
        one.kind = try kinds.of(count);
        outputs.kind_of[count] = @intCast(one.kind);
        if (one.odd != 0 or one.correlation_end - one.correlation == 2) {
            outputs.unusual[unusual] = @intCast(count);
            unusual += 1;
        }
        latest = @max(latest, one.time_ms);
        if (reader.at == body.len) break;
        if (body[reader.at] != '\n') return error.Refused;
        reader.at += 1;
        if (reader.at == body.len) break;
    }
    return .{
        .count = @intCast(count + 1),
        .kinds = @intCast(kinds.known),
        .unusual = @intCast(unusual),
        .latest_ms = latest,
    };
}

fn follows(body: []const u8, one: *const Event, before: *const Event, digest: *const [32]u8) line.Refused!void {
    if (one.seq_number != before.seq_number + 1) return error.Refused;
    const hex = std.fmt.bytesToHex(digest.*, .lower);
    if (!std.mem.eql(u8, body[one.prev + 1 .. one.prev_end - 1], &hex)) return error.Refused;
}

pub fn leafHash(entry: []const u8) [32]u8 {
    var hash = Sha256.init(.{});
    hash.update("\x00");
    hash.update(entry);
    return hash.finalResult();
}

pub fn nodeHash(left: []const u8, right: []const u8) [32]u8 {
    var hash = Sha256.init(.{});
    hash.update("\x01");
    hash.update(left);
    hash.update(right);
    return hash.finalResult();
}

/// Fold hashes into their RFC 6962 root, in place. There is one at least.
pub fn root(hashes: [][32]u8) [32]u8 {
    var count = hashes.len;
    while (count > 1) {
        var to: usize = 0;
        var from: usize = 0;
        while (from + 1 < count) : (from += 2) {
            hashes[to] = nodeHash(&hashes[from], &hashes[from + 1]);
            to += 1;
        }
        if (from < count) {
            hashes[to] = hashes[from];
            to += 1;
        }
        count = to;
    }
    return hashes[0];
}
