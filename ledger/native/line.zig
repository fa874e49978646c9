//! One event in its canonical line (docs/spec/entry-v1.md section 1): where each value stands.
//!
//! A line is taken apart by the exact bytes that canonical JSON has between two values, so that a line of another
//! order, with a space or with a key twice, is no line here. What an event has for itself (id, correlation, time,
//! place, size, source) is checked in full as far as it is plain ASCII; `odd` says that somebody else must look.
//! What it claims is only passed over: whoever asks compares it with a line that was checked.

const std = @import("std");

pub const max_line_bytes = 65_535;
pub const max_integer: u64 = (1 << 53) - 1;
const max_name = 200;
const max_source_keys = 64;
const max_source_key = 100;
const max_source_text = 2_000;
const lanes = 32;
const Lanes = @Vector(lanes, u8);

/// Where the values of a line stand in the body, each as [from, to); text with its quotation marks.
pub const Event = extern struct {
    start: u32,
    correlation: u32,
    correlation_end: u32,
    id: u32,
    id_end: u32,
    time: u32,
    time_end: u32,
    prev: u32,
    prev_end: u32,
    seq: u32,
    seq_end: u32,
    size: u32,
    size_end: u32,
    source: u32,
    source_end: u32,
    end: u32,
    kind: u32,
    odd: u32,
    time_ms: u64,
    seq_number: u64,
};

pub const Refused = error{Refused};

/// Reads one line of a body.
pub const Reader = struct {
    body: []const u8,
    at: usize,
    odd: bool = false,

    pub fn event(self: *Reader) Refused!Event {
        var found: Event = undefined;
        self.odd = false;
        found.start = @intCast(self.at);
        try self.expect("{\"agreement\":");
        _ = try self.claimedText();
        try self.expect(",\"correlation\":");
        found.correlation, found.correlation_end = try self.name(0);
        try self.expect(",\"dataset\":");
        _ = try self.claimedText();
        try self.expect(",\"delivery\":");
        _ = try self.claimedText();
        try self.expect(",\"grant\":");
        try self.claimedNumber();
        try self.expect(",\"id\":");
        found.id, found.id_end = try self.name(1);
        try self.expect(",\"kind\":");
        _ = try self.claimedText();
        try self.expect(",\"occurred_at_ms\":");
        found.time, found.time_end, found.time_ms = try self.count();
        try self.expect(",\"outcome\":");
        _ = try self.claimedText();
        try self.expect(",\"prev_hash\":");
        found.prev, found.prev_end = try self.hash();
        try self.expect(",\"provider\":");
        _ = try self.claimedText();
        try self.expect(",\"purpose\":");
        _ = try self.claimedText();
        try self.expect(",\"recipient\":");
        _ = try self.claimedText();
        try self.expect(",\"reporter\":");
        _ = try self.claimedText();
        try self.expect(",\"reporter_seq\":");
        found.seq, found.seq_end, found.seq_number = try self.count();
        try self.expect(",\"requester\":");
        _ = try self.claimedText();
        try self.expect(",\"side\":");
        _ = try self.claimedText();
        try self.expect(",\"size\":");
        found.size, found.size_end = try self.sizeOrNone();
        try self.expect(",\"source\":");
        found.source, found.source_end = try self.sourceMembers();
        try self.expect(",\"version\":");
        try self.claimedNumber();
        try self.expect("}");
        if (self.at - found.start > max_line_bytes) return error.Refused;
        found.end = @intCast(self.at);
        found.odd = @intFromBool(self.odd);
        found.kind = 0;
        return found;
    }

    fn expect(self: *Reader, comptime wanted: []const u8) Refused!void {
        if (self.body.len - self.at < wanted.len) return error.Refused;
        if (!std.mem.eql(u8, self.body[self.at..][0..wanted.len], wanted)) return error.Refused;
        self.at += wanted.len;
    }

    /// Pass over a text, and return its length between the quotation marks, and whether it is plain ASCII.
    fn text(self: *Reader) Refused!struct { usize, bool } {
        if (self.at >= self.body.len or self.body[self.at] != '"') return error.Refused;
        self.at += 1;
        const first = self.at;
        var plain = true;
        while (true) {
            self.at = afterPlain(self.body, self.at);
            if (self.at >= self.body.len) return error.Refused;
            const c = self.body[self.at];
            if (c == '"') break;
            if (c < 0x20) return error.Refused;
            plain = false;
            self.at += if (c == '\\') 2 else 1;
        }
        const length = self.at - first;
        self.at += 1;
        return .{ length, plain };
    }

    fn claimedText(self: *Reader) Refused!void {
        _ = try self.text();
    }

    fn claimedNumber(self: *Reader) Refused!void {
        if (self.at < self.body.len and self.body[self.at] == '-') self.at += 1;
        const first = self.at;
        while (self.at < self.body.len and std.ascii.isDigit(self.body[self.at])) self.at += 1;
        if (self.at == first) return error.Refused;
    }

    /// A name (`ledger.domain.text.check_name`) of `least` characters at least.
    fn name(self: *Reader, least: usize) Refused!struct { u32, u32 } {
        const start = self.at;
        const length, const plain = try self.text();
        if (!plain) {
            self.odd = true;
        } else {
            if (length < least or length > max_name) return error.Refused;
            if (length > 0 and (self.body[start + 1] == ' ' or self.body[self.at - 2] == ' ')) return error.Refused;
        }
        return .{ @intCast(start), @intCast(self.at) };
    }

    fn hash(self: *Reader) Refused!struct { u32, u32 } {
        const start = self.at;
        const length, const plain = try self.text();
        if (!plain or length != 64) return error.Refused;
        for (self.body[start + 1 .. start + 65]) |c| switch (c) {
            '0'...'9', 'a'...'f' => {},
            else => return error.Refused,
        };
        return .{ @intCast(start), @intCast(self.at) };
    }

    /// A number from 0 to 2^53 - 1 in its one spelling.
    fn count(self: *Reader) Refused!struct { u32, u32, u64 } {
        const start = self.at;
        var value: u64 = 0;
        while (self.at < self.body.len and std.ascii.isDigit(self.body[self.at])) : (self.at += 1) {
            if (self.at - start == 16) return error.Refused;
            value = value * 10 + (self.body[self.at] - '0');
        }
        const length = self.at - start;
        if (length == 0 or (length > 1 and self.body[start] == '0') or value > max_integer) return error.Refused;
        return .{ @intCast(start), @intCast(self.at), value };
    }

    fn sizeOrNone(self: *Reader) Refused!struct { u32, u32 } {
        const start = self.at;
        if (self.at < self.body.len and self.body[self.at] == '-') {
            try self.expect("-1");
        } else {
            _ = try self.count();
        }
        return .{ @intCast(start), @intCast(self.at) };
    }

    fn sourceMembers(self: *Reader) Refused!struct { u32, u32 } {
        const start = self.at;
        try self.expect("{");
        var before: []const u8 = "";
        var keys: usize = 0;
        if (self.at < self.body.len and self.body[self.at] == '}') {
            self.at += 1;
            return .{ @intCast(start), @intCast(self.at) };
        }
        while (true) {
            const key_start = self.at + 1;
            const length, const plain = try self.text();
            const key = self.body[key_start..][0..length];
            if (!plain) {
                self.odd = true;
            } else {
                if (length == 0 or length > max_source_key) return error.Refused;
                // Plain bytes have the order of their characters; beside an odd key somebody else looks at the order.
                if (keys > 0 and !self.odd and !std.mem.lessThan(u8, before, key)) return error.Refused;
            }
            before = key;
            keys += 1;
            if (keys > max_source_keys) return error.Refused;
            try self.expect(":");
            try self.sourceValue();
            if (self.at >= self.body.len) return error.Refused;
            const c = self.body[self.at];
            self.at += 1;
            if (c == '}') break;
            if (c != ',') return error.Refused;
        }
        return .{ @intCast(start), @intCast(self.at) };
    }

    fn sourceValue(self: *Reader) Refused!void {
        if (self.at >= self.body.len) return error.Refused;
        if (self.body[self.at] == '"') {
            const length, const plain = try self.text();
            if (!plain) {
                self.odd = true;
            } else if (length > max_source_text) return error.Refused;
            return;
        }
        const is_negative = self.body[self.at] == '-';
        if (is_negative) self.at += 1;
        _, _, const value = try self.count();
        if (is_negative and value == 0) return error.Refused;
    }
};

/// Return where the printable ASCII without quotation mark and backslash ends.
fn afterPlain(body: []const u8, from: usize) usize {
    if (from >= body.len) return from; // After a backslash at the very end.
    var at = from;
    while (body.len - at >= lanes) : (at += lanes) {
        const piece: Lanes = body[at..][0..lanes].*;
        const quote: u32 = @bitCast(piece == @as(Lanes, @splat('"')));
        const escape: u32 = @bitCast(piece == @as(Lanes, @splat('\\')));
        const control: u32 = @bitCast(piece < @as(Lanes, @splat(0x20)));
        const beyond: u32 = @bitCast(piece > @as(Lanes, @splat(0x7e)));
        const found = quote | escape | control | beyond;
        if (found != 0) return at + @ctz(found);
    }
    while (at < body.len) : (at += 1) {
        const c = body[at];
        if (c == '"' or c == '\\' or c < 0x20 or c > 0x7e) return at;
    }
    return at;
}
