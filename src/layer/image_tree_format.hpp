#pragma once

// The bytes of an ImageTree file, version 1; sbx-image-tree(5) says the same in words. All numbers are
// little-endian, all sections start at a multiple of 8. Records are copied out with memcpy, never cast.

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

namespace sbx::layer::format {

static_assert(std::endian::native == std::endian::little,
              "an ImageTree is read as it lies in the file");

inline constexpr std::array<char, 8> kMagic = {'s', 'b', 'x', 't', 'r', 'e', 'e', '\0'};
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kInodeSparse = 1;       // InodeRecord::flags
inline constexpr std::uint32_t kHeaderSquash = 1;      // Header::flags: the data lie in a squashfs
inline constexpr std::uint64_t kDirectorySize = 4096;  // st_size of every directory

struct Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t header_size;
  std::uint64_t file_size;
  std::uint32_t checksum;  // CRC-32C of the whole file, these four bytes taken as 0
  std::uint32_t flags;
  std::array<std::uint8_t, 32> chain_id;
  std::uint32_t inode_count;
  std::uint32_t dirent_count;
  std::uint32_t xattr_set_count;
  std::uint32_t xattr_count;
  std::uint32_t layer_count;
  std::uint32_t reserved;  // 0
  std::uint64_t extent_count;
  std::uint64_t string_bytes;
  std::uint64_t inodes_offset;
  std::uint64_t dirents_offset;
  std::uint64_t xattr_sets_offset;
  std::uint64_t xattrs_offset;
  std::uint64_t extents_offset;
  std::uint64_t layers_offset;
  std::uint64_t strings_offset;
  std::uint32_t block_size;             // with kHeaderSquash; else 0
  std::uint32_t compression;            // with kHeaderSquash, as in a squashfs superblock; else 0
  std::array<std::uint64_t, 3> unused;  // 0
};

struct InodeRecord {
  std::uint32_t mode;
  std::uint32_t uid;
  std::uint32_t gid;
  std::uint32_t nlink;
  std::uint64_t size;
  std::int64_t mtime_sec;
  std::uint32_t mtime_nsec;
  std::uint32_t layer;
  std::uint64_t
      data;  // file: tar offset; sparse file: first extent; symlink: string; dir: first entry; device: rdev
  std::uint32_t count;      // dir: entries; sparse file: extents
  std::uint32_t xattr_set;  // 0: none; else 1-based
  std::uint32_t parent;     // directory: its parent; else the directory of its first name, or 0
  std::uint32_t flags;
};

struct DirentRecord {
  std::uint32_t ino;
  std::uint32_t name;  // offset in strings
  std::uint32_t name_size;
};

struct XattrSetRecord {
  std::uint32_t first;
  std::uint32_t count;
};

struct XattrRecord {
  std::uint32_t name;
  std::uint32_t name_size;
  std::uint32_t value;
  std::uint32_t value_size;
};

struct ExtentRecord {
  std::uint64_t file_offset;
  std::uint64_t length;  // with kHeaderSquash: see pack_block()
  std::uint64_t tar_offset;
};

// With kHeaderSquash every regular file has kInodeSparse and its extents are blocks of block_size bytes, the last one shorter:
// `length` then holds what is stored (as squashfs writes it: 24 bits of size, one that says "not compressed") and how many
// bytes of the block come before the file's own.
inline constexpr std::uint32_t kBlockSizeMask = 0xFFFFFF;
inline constexpr std::uint32_t kBlockPlain = 1U << 24U;
constexpr std::uint64_t pack_block(std::uint32_t stored, std::uint32_t skip) {
  return std::uint64_t{skip} << 32U | stored;
}

struct LayerRecord {
  std::array<std::uint8_t, 32> diff_id;
  std::uint64_t tar_size;
};

static_assert(sizeof(Header) == 192 && sizeof(InodeRecord) == 64 && sizeof(DirentRecord) == 12);
static_assert(sizeof(XattrSetRecord) == 8 && sizeof(XattrRecord) == 16 &&
              sizeof(ExtentRecord) == 24);
static_assert(sizeof(LayerRecord) == 40 && std::is_trivially_copyable_v<Header>);

}  // namespace sbx::layer::format
