//! The hashes and texts of a batch's events (`ledger.domain.event_templates`), written into buffers of the caller's.

const std = @import("std");
const line = @import("line.zig");
const tree = @import("scan.zig");
const Event = line.Event;
const Sha256 = std.crypto.hash.sha2.Sha256;

pub const salt_bytes = 32;
pub const salts_bytes = 3 * salt_bytes;
const salt_text_bytes = std.base64.standard.Encoder.calcSize(salt_bytes);

pub const Bytes = extern struct {
    start: [*]const u8,
    length: usize,

    pub fn slice(self: Bytes) []const u8 {
        return self.start[0..self.length];
    }
};

/// What all events of one kind share of the group `exchange`, and whether they are told from the provider's side.
pub const Exchange = extern struct { before_time: Bytes, after_time: Bytes, is_provider: u32 };

/// Pieces one after another, and where each ends.
pub const Pieces = struct {
    data: []u8,
    ends: []u32,
    at: usize = 0,

    fn put(self: *Pieces, place: usize, piece: []const u8) void {
        @memcpy(self.data[self.at..][0..piece.len], piece);
        self.at += piece.len;
        self.ends[place] = @intCast(self.at);
    }
};

pub const Outputs = struct {
    keys: []u64,
    others: [][64]u8,
    ids: Pieces,
    correlations: Pieces,
    /// The lines as they are kept: how many, the length of each, then all of them.
    lines: []u8,
};

pub fn commit(
    body: []const u8,
    events: []const Event,
    exchanges: []const Exchange,
    pairing: []const u8,
    salts: []const [salts_bytes]u8,
    outputs: *Outputs,
) void {
    const lines = outputs.lines;
    std.mem.writeInt(u32, lines[0..4], @intCast(events.len), .big);
    var to = 4 * (events.len + 1);
    for (events, salts, 0..) |*one, *salt, place| {
        const exchange = &exchanges[one.kind];
        outputs.others[place][0..32].* = detailHash(body, one, salt[salt_bytes..][0..salt_bytes]);
        outputs.others[place][32..64].* = exchangeHash(body, one, exchange, salt[2 * salt_bytes ..][0..salt_bytes]);
        outputs.ids.put(place, body[one.id..one.id_end]);
        outputs.correlations.put(place, body[one.correlation..one.correlation_end]);
        outputs.keys[place] = pairingKey(pairing, body[one.correlation + 1 .. one.correlation_end - 1], exchange);
        const text = body[one.start..one.end];
        std.mem.writeInt(u32, lines[4 * (place + 1) ..][0..4], @intCast(text.len), .big);
        @memcpy(lines[to..][0..text.len], text);
        to += text.len;
    }
}

pub fn open(salt: *const [salt_bytes]u8) Sha256 {
    var hash = Sha256.init(.{});
    hash.update("\x00[\"");
    var text: [salt_text_bytes]u8 = undefined;
    hash.update(std.base64.standard.Encoder.encode(&text, salt));
    return hash;
}

fn detailHash(body: []const u8, one: *const Event, salt: *const [salt_bytes]u8) [32]u8 {
    var hash = open(salt);
    hash.update("\",\"detail\",{\"correlation\":");
    hash.update(body[one.correlation..one.correlation_end]);
    hash.update(",\"size\":");
    hash.update(body[one.size..one.size_end]);
    hash.update(",\"source\":");
    hash.update(body[one.source..one.source_end]);
    hash.update("}]");
    return hash.finalResult();
}

fn exchangeHash(body: []const u8, one: *const Event, exchange: *const Exchange, salt: *const [salt_bytes]u8) [32]u8 {
    var hash = open(salt);
    hash.update(exchange.before_time.slice());
    hash.update(body[one.time..one.time_end]);
    hash.update(exchange.after_time.slice());
    return hash.finalResult();
}

/// The key of a correlation that is plain ASCII; of any other, and of none, the caller makes it.
fn pairingKey(pairing: []const u8, correlation: []const u8, exchange: *const Exchange) u64 {
    var hash = Sha256.init(.{});
    hash.update(pairing);
    hash.update(correlation);
    const digest = hash.finalResult();
    return (std.mem.readInt(u64, digest[0..8], .big) | 1) - exchange.is_provider;
}
