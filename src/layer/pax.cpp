#include "layer/pax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "layer/limits.hpp"

namespace sbx::layer {
namespace {

constexpr std::string_view kSchilyXattr = "SCHILY.xattr.";  // star, GNU tar, docker, libarchive
constexpr std::string_view kLibarchiveXattr =
    "LIBARCHIVE.xattr.";  // libarchive, besides the former

Error bad_record(std::string_view key, std::string reason) {
  return Error::make(ErrorCode::kCorrupt, "read PAX record", key, std::move(reason));
}

std::optional<std::int64_t> parse_decimal(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// %XX, as libarchive writes xattr names.
std::string decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

int base64_value(char c) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) {
      return std::nullopt;
    }
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>((bits >> static_cast<unsigned>(have)) & 0xFFU);
    }
  }
  return out;
}

Result<std::string> path_value(std::string_view key, std::string_view value) {
  if (value.find('\0') != std::string_view::npos) {
    return fail(bad_record(key, "a path with a NUL byte in it"));
  }
  return std::string(value);
}

Result<std::int64_t> number_value(std::string_view key, std::string_view value) {
  if (const std::optional<std::int64_t> number = parse_decimal(value)) {
    return *number;
  }
  return fail(bad_record(key, fmt::format("'{}' is not a decimal number", printable(value, 40))));
}

Result<void> add_xattr(PaxHeader& out, std::string name, std::string value, bool replace) {
  if (name.empty() || name.size() > kMaxXattrName || name.find('\0') != std::string::npos) {
    return fail(bad_record(name, "an xattr name must have 1 to 255 bytes and no NUL"));
  }
  if (value.size() > kMaxXattrValue || out.xattrs.size() >= kMaxXattrs) {
    return fail(Error::make(ErrorCode::kLimit, "read PAX record", name,
                            "the xattrs are too large or too many"));
  }
  if (replace) {
    out.xattrs.insert_or_assign(std::move(name), std::move(value));
  } else {
    out.xattrs.emplace(std::move(name), std::move(value));
  }
  return {};
}

/// "offset,length,offset,length": sparse format 0.1.
Result<void> add_sparse_map(PaxHeader& out, std::string_view key, std::string_view value) {
  out.sparse_numbers.clear();
  while (!value.empty()) {
    const std::string_view number = value.substr(0, value.find(','));
    value.remove_prefix(std::min(number.size() + 1, value.size()));
    out.sparse_numbers.push_back(SBX_TRY(number_value(key, number)));
  }
  return {};
}

/// Keywords below "GNU.sparse."; see "Storing Sparse Files" in the manual of GNU tar.
Result<void> add_sparse(PaxHeader& out, std::string_view key, std::string_view value) {
  const std::string_view word = key.substr(std::string_view("GNU.sparse.").size());
  if (word == "name") {
    out.sparse_name = SBX_TRY(path_value(key, value));
  } else if (word == "map") {
    SBX_TRY(add_sparse_map(out, key, value));
  } else if (word == "major") {
    out.sparse_major = SBX_TRY(number_value(key, value));
  } else if (word == "minor") {
    out.sparse_minor = SBX_TRY(number_value(key, value));
  } else if (word == "size" || word == "realsize") {
    out.sparse_real_size = SBX_TRY(number_value(key, value));
  } else if (word == "offset" || word == "numbytes") {  // 0.0: repeated, by turns
    const bool offset_next = out.sparse_numbers.size() % 2 == 0;
    if (offset_next != (word == "offset")) {
      return fail(bad_record(key, "sparse offsets and lengths do not take turns"));
    }
    out.sparse_numbers.push_back(SBX_TRY(number_value(key, value)));
  }
  return {};
}

/// An empty value takes the keyword back (POSIX), except that an xattr may really be empty.
Result<void> add_record(PaxHeader& out, std::string_view key, std::string_view value) {
  if (key.starts_with(kSchilyXattr)) {
    return add_xattr(out, std::string(key.substr(kSchilyXattr.size())), std::string(value), true);
  }
  if (key.starts_with(kLibarchiveXattr)) {
    std::optional<std::string> decoded = decode_base64(value);
    if (!decoded) {
      return fail(bad_record(key, "its value is not base64"));
    }
    return add_xattr(out, decode_percent(key.substr(kLibarchiveXattr.size())), *std::move(decoded),
                     false);
  }
  if (key.starts_with("GNU.sparse.")) {
    return add_sparse(out, key, value);
  }
  const bool taken_back = value.empty();
  if (key == "path") {
    out.path = taken_back ? std::nullopt : std::optional(SBX_TRY(path_value(key, value)));
  } else if (key == "linkpath") {
    out.link = taken_back ? std::nullopt : std::optional(SBX_TRY(path_value(key, value)));
  } else if (key == "size") {
    out.size = taken_back ? std::nullopt : std::optional(SBX_TRY(number_value(key, value)));
  } else if (key == "uid") {
    out.uid = taken_back ? std::nullopt : std::optional(SBX_TRY(number_value(key, value)));
  } else if (key == "gid") {
    out.gid = taken_back ? std::nullopt : std::optional(SBX_TRY(number_value(key, value)));
  } else if (key == "mtime") {
    out.mtime = parse_pax_time(value);
    if (!out.mtime && !taken_back) {
      return fail(bad_record(key, fmt::format("'{}' is not a time", printable(value, 40))));
    }
  }
  return {};
}

}  // namespace

std::optional<TarTime> parse_pax_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot).substr(negative ? 1 : 0);
  std::string fraction(dot == std::string_view::npos ? "" : text.substr(dot + 1));
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::all_of(whole.begin(), whole.end(), is_digit) ||
      !std::all_of(fraction.begin(), fraction.end(), is_digit)) {
    return std::nullopt;
  }
  const std::optional<std::int64_t> seconds = parse_decimal(whole);
  fraction.resize(9, '0');
  const std::optional<std::int64_t> nanoseconds = parse_decimal(fraction);
  if (!seconds || !nanoseconds) {
    return std::nullopt;
  }
  if (!negative || *nanoseconds == 0) {
    return TarTime{negative ? -*seconds : *seconds, static_cast<std::uint32_t>(*nanoseconds)};
  }
  return TarTime{-*seconds - 1, static_cast<std::uint32_t>(1'000'000'000 - *nanoseconds)};
}

Result<PaxHeader> parse_pax(std::string_view body) {
  PaxHeader out;
  while (!body.empty()) {
    const std::size_t blank = body.find(' ');
    const std::optional<std::int64_t> length =
        blank == std::string_view::npos ? std::nullopt : parse_decimal(body.substr(0, blank));
    // "LENGTH KEY=VALUE\n", where LENGTH counts everything, itself too.
    if (!length || *length < 0 || static_cast<std::uint64_t>(*length) > body.size() ||
        static_cast<std::uint64_t>(*length) < blank + 3 ||
        body[static_cast<std::size_t>(*length) - 1] != '\n') {
      return fail(bad_record("", "a record does not end where it says"));
    }
    const std::string_view record =
        body.substr(blank + 1, static_cast<std::size_t>(*length) - blank - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(bad_record(record, "a record without a keyword"));
    }
    SBX_TRY(add_record(out, record.substr(0, equals), record.substr(equals + 1)));
    body.remove_prefix(static_cast<std::size_t>(*length));
  }
  return out;
}

void merge_global(const PaxHeader& global, PaxHeader& entry) {
  entry.uid = entry.uid ? entry.uid : global.uid;
  entry.gid = entry.gid ? entry.gid : global.gid;
  entry.mtime = entry.mtime ? entry.mtime : global.mtime;
  entry.xattrs.insert(global.xattrs.begin(), global.xattrs.end());
}

}  // namespace sbx::layer
