#include "layer/tar_header.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sbx::layer {
namespace {

struct Field {
  std::size_t at;
  std::size_t size;
};

constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kLink{157, 100};
constexpr Field kMagic{257, 8};  // with the version
constexpr Field kDevMajor{329, 8};
constexpr Field kDevMinor{337, 8};
constexpr Field kPrefix{345, 155};
constexpr Field kStarPrefix{345, 131};  // star keeps atime and ctime behind a shorter prefix
constexpr Field kStarTrailer{508, 4};

std::string_view field(TarBlock block, Field f) {
  return {reinterpret_cast<const char*>(block.data()) + f.at, f.size};
}

/// Up to the first NUL.
std::string_view text(TarBlock block, Field f) {
  const std::string_view whole = field(block, f);
  return whole.substr(0, whole.find('\0'));
}

Error bad_number(std::string_view value) {
  return Error::make(ErrorCode::kCorrupt, "read tar number", value,
                     "it is not octal and not base-256");
}

/// Two's complement, big-endian; the first bit only marks the format.
Result<std::int64_t> parse_base256(std::string_view value) {
  const bool negative = (static_cast<unsigned char>(value.front()) & 0x40U) != 0;
  std::uint64_t number = negative ? UINT64_MAX : 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto byte = static_cast<unsigned char>(value[i]);
    if (i == 0) {
      byte = static_cast<unsigned char>(negative ? byte | 0x80U : byte & 0x7FU);
    }
    const std::uint64_t lost = number >> 55U;  // what the shift pushes out, and the sign
    if (lost != (negative ? 0x1FFU : 0U)) {
      return fail(bad_number(value));
    }
    number = (number << 8U) | byte;
  }
  return static_cast<std::int64_t>(number);
}

/// The sum of all bytes with the checksum field taken as blanks; some old writers added signed bytes.
bool checksum_matches(TarBlock block, std::int64_t wanted) {
  std::int64_t sum = 0;
  std::int64_t signed_sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool blank = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    const auto byte = blank ? std::byte{' '} : block[i];
    sum += static_cast<unsigned char>(byte);
    signed_sum += static_cast<signed char>(byte);
  }
  return wanted == sum || wanted == signed_sum;
}

std::string full_name(TarBlock block) {
  const std::string_view name = text(block, kName);
  std::string_view prefix;
  if (field(block, kMagic).starts_with(std::string_view("ustar\0", 6))) {
    const bool star = field(block, kStarTrailer) == std::string_view("tar\0", 4);
    prefix = text(block, star ? kStarPrefix : kPrefix);
  }
  return prefix.empty() ? std::string(name) : fmt::format("{}/{}", prefix, name);
}

Result<void> parse_numbers(TarBlock block, TarHeader& header) {
  header.mode = static_cast<std::uint32_t>(SBX_TRY(parse_tar_number(field(block, kMode))) & 07777);
  header.uid = SBX_TRY(parse_tar_number(field(block, kUid)));
  header.gid = SBX_TRY(parse_tar_number(field(block, kGid)));
  header.size = SBX_TRY(parse_tar_number(field(block, kSize)));
  header.mtime = SBX_TRY(parse_tar_number(field(block, kMtime)));
  if (header.type == '3' || header.type == '4') {  // V7 has other bytes there in other entries
    header.device_major = SBX_TRY(parse_tar_number(field(block, kDevMajor)));
    header.device_minor = SBX_TRY(parse_tar_number(field(block, kDevMinor)));
  }
  return {};
}

}  // namespace

bool is_zero_block(TarBlock block) noexcept {
  return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

Result<std::int64_t> parse_tar_number(std::string_view value) {
  if (!value.empty() && (static_cast<unsigned char>(value.front()) & 0x80U) != 0) {
    return parse_base256(value);
  }
  constexpr std::string_view kBlank(" \0", 2);
  const std::size_t first = value.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return std::int64_t{0};
  }
  std::string_view digits = value.substr(first);
  digits = digits.substr(0, digits.find_last_not_of(kBlank) + 1);
  std::int64_t number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '7') {
      return fail(bad_number(value));
    }
    number = number * 8 + (c - '0');  // 12 digits at most: no overflow
  }
  return number;
}

Result<TarHeader> parse_tar_header(TarBlock block, std::uint64_t at) {
  const Result<std::int64_t> checksum = parse_tar_number(field(block, kChecksum));
  if (!checksum || !checksum_matches(block, *checksum)) {
    return fail(
        Error::make(ErrorCode::kCorrupt, "read tar header", "",
                    fmt::format("the block at {} is not a tar header (wrong checksum)", at)));
  }
  TarHeader header;
  header.type = field(block, kType).front();
  header.name = full_name(block);
  header.link = text(block, kLink);
  SBX_TRY(parse_numbers(block, header).context(fmt::format("reading the tar header at {}", at)));
  return header;
}

Result<std::vector<TarSparsePart>> parse_sparse_parts(TarBlock block, std::size_t at,
                                                      std::size_t count) {
  constexpr std::size_t kNumber = 12;
  std::vector<TarSparsePart> parts;
  for (std::size_t i = 0; i < count; ++i, at += 2 * kNumber) {
    const std::string_view offset = field(block, {at, kNumber});
    const std::string_view length = field(block, {at + kNumber, kNumber});
    if (offset.front() == '\0' && length.front() == '\0') {
      break;
    }
    parts.push_back({SBX_TRY(parse_tar_number(offset)), SBX_TRY(parse_tar_number(length))});
  }
  return parts;
}

}  // namespace sbx::layer
