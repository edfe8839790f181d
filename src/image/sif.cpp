#include "image/sif.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <span>

#include "sys/pread.hpp"

// The format as pkg/sif of github.com/apptainer/sif writes it: a header, and somewhere in the file a table of descriptors of
// 585 bytes each. Little-endian, nothing aligned.

namespace sbx::image {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie there");

constexpr std::array<char, 10> kMagic{'S', 'I', 'F', '_', 'M', 'A', 'G', 'I', 'C', '\0'};
constexpr std::size_t kMagicAt = 32;  // behind the launch script
// apptainer makes room for 48; each layer of an OCI-SIF takes one.
constexpr std::int64_t kMostDescriptors = 4096;

struct [[gnu::packed]] Header {
  std::array<char, 32> launch;
  std::array<char, 10> magic;
  std::array<char, 3> version;  // "01"
  std::array<char, 3> architecture;
  std::array<char, 16> id;
  std::int64_t created;
  std::int64_t modified;
  std::int64_t descriptors_free;
  std::int64_t descriptors_total;
  std::int64_t descriptors_offset;
  std::int64_t descriptors_size;
  std::int64_t data_offset;
  std::int64_t data_size;
};

struct [[gnu::packed]] Descriptor {
  std::int32_t type;
  std::uint8_t used;
  std::uint32_t id;
  std::uint32_t group;
  std::uint32_t link;
  std::int64_t offset;
  std::int64_t size;
  std::int64_t size_with_padding;
  std::int64_t created;
  std::int64_t modified;
  std::int64_t uid;
  std::int64_t gid;
  std::array<char, 128> name;
  // Of a partition; the rest of 384 bytes is zeros.
  std::int32_t file_system;
  std::int32_t kind;
  std::array<char, 3> architecture;
  std::array<char, 373> rest;
};

static_assert(sizeof(Header) == 128 && sizeof(Descriptor) == 585);

enum DataType : std::int32_t { kPartition = 0x4004, kJson = 0x4006, kOciIndex = 0x400A };
enum PartitionKind : std::int32_t { kPrimary = 2 };
enum FileSystem : std::int32_t {
  kSquashfs = 1,
  kExt3,
  kArchive,
  kRaw,
  kEncryptedSquashfs,
  kGocryptfs
};

Error damaged(std::string_view name, std::string reason) {
  return Error::make(ErrorCode::kCorrupt, "read SIF", name, std::move(reason));
}

Error unsupported(std::string_view name, std::string reason) {
  return Error::make(ErrorCode::kUnsupported, "run SIF", name, std::move(reason));
}

template <std::size_t kSize>
std::string_view text(const std::array<char, kSize>& field) {
  return {field.data(), ::strnlen(field.data(), field.size())};
}

template <class Record>
std::optional<Record> read_at(int fd, std::uint64_t offset) {
  Record out;
  const auto bytes = std::as_writable_bytes(std::span(&out, 1));
  return sys::pread_exact(fd, bytes, offset) ? std::optional(out) : std::nullopt;
}

std::string architecture_of(std::string_view code) {
  constexpr std::array kNames{"",         "386",     "amd64",   "arm",    "arm64",
                              "ppc64",    "ppc64le", "mips",    "mipsle", "mips64",
                              "mips64le", "s390x",   "riscv64", "loong64"};
  const bool digits =
      code.size() == 2 && code[0] >= '0' && code[0] <= '9' && code[1] >= '0' && code[1] <= '9';
  const auto number =
      digits ? static_cast<std::size_t>((code[0] - '0') * 10 + (code[1] - '0')) : kNames.size();
  return number < kNames.size() ? kNames[number] : fmt::format("unknown ({})", printable(code));
}

Result<FileRange> range_of(const Descriptor& descriptor, std::uint64_t file_size,
                           std::string_view name) {
  const auto offset = static_cast<std::uint64_t>(descriptor.offset);
  const auto size = static_cast<std::uint64_t>(descriptor.size);
  if (descriptor.offset < 0 || descriptor.size < 0 || offset > file_size ||
      size > file_size - offset) {
    return fail(damaged(name, "a part of it lies outside of the file; is it complete?"));
  }
  return FileRange{offset, size};
}

Result<void> check_file_system(std::int32_t file_system, std::string_view name) {
  switch (file_system) {
    case kSquashfs:
      return {};
    case kExt3:
      return fail(unsupported(name, "its root is an ext3 file system, which only root can mount"));
    case kEncryptedSquashfs:
    case kGocryptfs:
      return fail(unsupported(name, "its root is encrypted"));
    default:
      return fail(unsupported(
          name, fmt::format("its root is a file system of type {}, not a squashfs", file_system)));
  }
}

Result<Header> read_header(int fd, std::uint64_t file_size, std::string_view name) {
  const std::optional<Header> header = read_at<Header>(fd, 0);
  if (!header || header->magic != kMagic) {
    return fail(damaged(name, "it does not begin as a SIF does"));
  }
  if (text(header->version) != "01") {
    return fail(unsupported(
        name, fmt::format("its version is {}, known is 01", printable(text(header->version)))));
  }
  const auto table = static_cast<std::uint64_t>(header->descriptors_offset);
  if (header->descriptors_total < 0 || header->descriptors_total > kMostDescriptors) {
    return fail(Error::make(ErrorCode::kLimit, "read SIF", name,
                            fmt::format("it has more than {} parts", kMostDescriptors)));
  }
  const auto bytes = static_cast<std::uint64_t>(header->descriptors_total) * sizeof(Descriptor);
  if (header->descriptors_offset < 0 || table > file_size || bytes > file_size - table) {
    return fail(damaged(name, "its table of contents lies outside of the file; is it complete?"));
  }
  return *header;
}

}  // namespace

bool is_sif(int fd) {
  const auto magic = read_at<std::array<char, kMagic.size()>>(fd, kMagicAt);
  return magic && *magic == kMagic;
}

Result<Sif> read_sif(int fd, std::uint64_t file_size, std::string_view name) {
  const Header header = SBX_TRY(read_header(fd, file_size, name));
  std::optional<Descriptor> primary;
  bool oci_sif = false;
  Sif out;
  for (std::int64_t i = 0; i < header.descriptors_total; ++i) {
    const auto at = static_cast<std::uint64_t>(header.descriptors_offset) +
                    static_cast<std::uint64_t>(i) * sizeof(Descriptor);
    const std::optional<Descriptor> descriptor = read_at<Descriptor>(fd, at);
    if (!descriptor) {
      return fail(damaged(name, "its table of contents cannot be read"));
    }
    if (descriptor->used == 0) {
      continue;
    }
    oci_sif = oci_sif || descriptor->type == kOciIndex;
    if (descriptor->type == kJson && text(descriptor->name) == "oci-config.json") {
      out.oci_config = SBX_TRY(range_of(*descriptor, file_size, name));
    }
    if (descriptor->type != kPartition || descriptor->kind != kPrimary) {
      continue;
    }
    if (primary) {
      return fail(damaged(name, "it has two primary partitions"));
    }
    primary = descriptor;
  }
  if (!primary) {
    return fail(unsupported(name, oci_sif
                                      ? "it is an OCI-SIF, which holds an image as it was pulled"
                                      : "it has no primary partition")
                    .with_hint(oci_sif ? "pull the image from its registry instead" : ""));
  }
  SBX_TRY(check_file_system(primary->file_system, name));
  out.root = SBX_TRY(range_of(*primary, file_size, name));
  out.architecture = architecture_of(text(primary->architecture));
  return out;
}

}  // namespace sbx::image
