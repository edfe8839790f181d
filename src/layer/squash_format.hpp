#pragma once

// The bytes of a squashfs 4.0, as the kernel's fs/squashfs/squashfs_fs.h and Documentation/filesystems/squashfs.rst have
// them. All numbers are little-endian, nothing is aligned: records are copied out with memcpy.

#include <bit>
#include <cstdint>
#include <type_traits>

namespace sbx::layer::squash {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie there");

inline constexpr std::uint32_t kMagic = 0x73717368;  // "hsqs"
inline constexpr std::uint32_t kMetaBlock = 8192;    // bytes of an uncompressed metadata block
inline constexpr std::uint16_t kMetaPlain = 0x8000;  // in its header: not compressed
inline constexpr std::uint32_t kNoFragment = UINT32_MAX;
inline constexpr std::uint32_t kNoXattrs = UINT32_MAX;
inline constexpr std::uint64_t kNoTable = UINT64_MAX;

struct SuperBlock {
  std::uint32_t magic;
  std::uint32_t inode_count;
  std::uint32_t modified;
  std::uint32_t block_size;
  std::uint32_t fragment_count;
  std::uint16_t compression;
  std::uint16_t block_log;
  std::uint16_t flags;
  std::uint16_t id_count;
  std::uint16_t major;
  std::uint16_t minor;
  std::uint64_t root;  // InodeRef
  std::uint64_t bytes_used;
  std::uint64_t ids;
  std::uint64_t xattrs;
  std::uint64_t inodes;
  std::uint64_t directories;
  std::uint64_t fragments;
  std::uint64_t exports;
};

// Of an inode: the basic ones; the extended ones are 7 more.
enum InodeType : std::uint16_t {
  kDirectory = 1,
  kFile,
  kSymlink,
  kBlockDevice,
  kCharDevice,
  kFifo,
  kSocket,
  kExtended = 7
};

struct [[gnu::packed]] InodeHead {
  std::uint16_t type;
  std::uint16_t mode;
  std::uint16_t uid;  // index of the id table
  std::uint16_t gid;
  std::uint32_t mtime;
  std::uint32_t number;
};
struct [[gnu::packed]] DirectoryInode {
  std::uint32_t block;
  std::uint32_t nlink;
  std::uint16_t size;  // of the listing + 3
  std::uint16_t offset;
  std::uint32_t parent;
};
struct [[gnu::packed]] LongDirectoryInode {
  std::uint32_t nlink;
  std::uint32_t size;
  std::uint32_t block;
  std::uint32_t parent;
  std::uint16_t index_count;
  std::uint16_t offset;
  std::uint32_t xattrs;
};
struct [[gnu::packed]] FileInode {
  std::uint32_t start;
  std::uint32_t fragment;
  std::uint32_t offset;
  std::uint32_t size;
};
struct [[gnu::packed]] LongFileInode {
  std::uint64_t start;
  std::uint64_t size;
  std::uint64_t sparse;
  std::uint32_t nlink;
  std::uint32_t fragment;
  std::uint32_t offset;
  std::uint32_t xattrs;
};
struct [[gnu::packed]] SymlinkInode {
  std::uint32_t nlink;
  std::uint32_t size;
};
struct [[gnu::packed]] DeviceInode {
  std::uint32_t nlink;
  std::uint32_t device;
};

struct [[gnu::packed]] DirectoryHead {
  std::uint32_t count;  // less one
  std::uint32_t block;
  std::uint32_t number;
};
struct [[gnu::packed]] DirectoryEntry {
  std::uint16_t offset;
  std::int16_t number;
  std::uint16_t type;
  std::uint16_t size;  // of the name, less one
};

struct Fragment {
  std::uint64_t start;
  std::uint32_t stored;  // as in a block list: ImageTree's kBlockPlain
  std::uint32_t unused;
};
struct XattrTable {
  std::uint64_t start;  // of the pairs
  std::uint32_t count;
  std::uint32_t unused;
};
struct XattrId {
  std::uint64_t ref;
  std::uint32_t count;
  std::uint32_t size;
};
struct [[gnu::packed]] XattrKey {
  std::uint16_t type;
  std::uint16_t size;
};
inline constexpr std::uint16_t kXattrElsewhere =
    0x100;  // in XattrKey::type: the value is a reference to it

static_assert(sizeof(SuperBlock) == 96 && std::is_trivially_copyable_v<SuperBlock>);
static_assert(sizeof(InodeHead) == 16 && sizeof(DirectoryInode) == 16 &&
              sizeof(LongDirectoryInode) == 24 && sizeof(FileInode) == 16 &&
              sizeof(LongFileInode) == 40 && sizeof(SymlinkInode) == 8 && sizeof(DeviceInode) == 8);
static_assert(sizeof(DirectoryHead) == 12 && sizeof(DirectoryEntry) == 8);
static_assert(sizeof(Fragment) == 16 && sizeof(XattrTable) == 16 && sizeof(XattrId) == 16);

}  // namespace sbx::layer::squash
