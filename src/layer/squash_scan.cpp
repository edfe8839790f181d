#include "layer/squash_scan.hpp"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "layer/image_tree_format.hpp"
#include "layer/squash_xattrs.hpp"

namespace sbx::layer {
namespace {

using InodeRef = std::uint64_t;  // block's place in the inode table << 16 | offset in it

/// A directory that is known and not listed yet.
struct Directory {
  std::string path;  // "" for the root
  std::uint32_t block = 0;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct Listed {
  std::string name;
  InodeRef ref = 0;
};

/// Kernel's new_encode_dev(): 12 bits of major in the middle of 20 of minor.
std::uint64_t device_number(std::uint32_t coded) {
  return ::makedev((coded & 0xFFF00U) >> 8U, (coded & 0xFFU) | ((coded >> 12U) & 0xFFF00U));
}

std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

class Scan {
 public:
  Scan(const SquashSource& source, const squash::SuperBlock& super, SquashCodec& codec,
       TreeBudget& budget, LayerIndex& index)
      : super_(super),
        base_(source.base),
        budget_(budget),
        index_(index),
        tables_(source, codec, super.bytes_used),
        inodes_(source, codec, super.directories),
        listings_(source, codec, super.bytes_used),
        xattrs_(source, codec, super) {}

  Result<SquashInfo> run() {
    SBX_TRY(load_tables());
    SBX_TRY(add("", super_.root));
    if (directories_.empty()) {
      return fail(squash_damaged("its root is not a directory"));
    }
    while (!directories_.empty()) {
      const Directory directory = std::move(directories_.front());
      directories_.pop_front();
      SBX_TRY(list(directory).context(fmt::format("reading '/{}'", printable(directory.path))));
    }
    return SquashInfo{{super_.block_size, super_.compression}, entries_};
  }

 private:
  Result<void> load_tables() {
    if (super_.fragment_count > budget_.limits().entries) {
      return fail(Error::make(ErrorCode::kLimit, "read squashfs", "", "it has too many fragments"));
    }
    ids_ = SBX_TRY(tables_.table<std::uint32_t>(super_.ids, super_.id_count));
    fragments_ = SBX_TRY(tables_.table<squash::Fragment>(super_.fragments, super_.fragment_count));
    return xattrs_.load(budget_.limits());
  }

  Result<std::uint32_t> id(std::uint16_t index) const {
    if (index >= ids_.size()) {
      return fail(squash_damaged("a file has an owner that is not in the table"));
    }
    return ids_[index];
  }

  /// One name; for a directory also notes that it has to be listed.
  Result<void> add(std::string path, InodeRef ref) {
    ++entries_;
    if (const auto it = links_.find(ref); it != links_.end()) {
      TarEntry link;
      link.path = std::move(path);
      link.type = EntryType::kHardLink;
      link.link = it->second;
      return index_.add_plain(link);
    }
    TarEntry entry;
    entry.path = std::move(path);
    SBX_TRY(read_inode(ref, entry).context(fmt::format("reading '/{}'", printable(entry.path))));
    return index_.add_plain(entry);
  }

  Result<void> read_inode(InodeRef ref, TarEntry& entry) {
    const std::uint64_t position = super_.inodes + (ref >> 16U);
    if (ref >> 48U != 0 || position >= super_.directories) {
      return fail(squash_damaged("its inode lies outside of the table"));
    }
    SBX_TRY(inodes_.seek(position, static_cast<std::uint32_t>(ref & 0xFFFFU)));
    const auto head = SBX_TRY(inodes_.get<squash::InodeHead>());
    entry.mode = head.mode & 07777U;
    entry.uid = SBX_TRY(id(head.uid));
    entry.gid = SBX_TRY(id(head.gid));
    entry.mtime_sec = head.mtime;
    const bool extended = head.type > squash::kExtended;
    std::uint32_t xattrs = squash::kNoXattrs;
    std::uint32_t nlink = 1;
    switch (extended ? head.type - squash::kExtended : head.type) {
      case squash::kDirectory:
        return read_directory(ref, extended, entry);
      case squash::kFile:
        SBX_TRY(read_file(extended, entry, nlink, xattrs));
        break;
      case squash::kSymlink:
        SBX_TRY(read_symlink(entry, nlink));
        xattrs = extended ? SBX_TRY(inodes_.get<std::uint32_t>()) : xattrs;
        break;
      case squash::kBlockDevice:
      case squash::kCharDevice: {
        const bool block = head.type == squash::kBlockDevice ||
                           head.type == squash::kBlockDevice + squash::kExtended;
        const auto device = SBX_TRY(inodes_.get<squash::DeviceInode>());
        entry.type = block ? EntryType::kBlockDevice : EntryType::kCharDevice;
        entry.rdev = device_number(device.device);
        nlink = device.nlink;
        xattrs = extended ? SBX_TRY(inodes_.get<std::uint32_t>()) : xattrs;
        break;
      }
      case squash::kFifo:
      case squash::kSocket: {
        const bool fifo =
            head.type == squash::kFifo || head.type == squash::kFifo + squash::kExtended;
        entry.type = fifo ? EntryType::kFifo : EntryType::kSocket;
        nlink = SBX_TRY(inodes_.get<std::uint32_t>());
        xattrs = extended ? SBX_TRY(inodes_.get<std::uint32_t>()) : xattrs;
        break;
      }
      default:
        return fail(squash_damaged(fmt::format("its inode has type {}", head.type)));
    }
    if (nlink > 1) {
      links_.emplace(ref, entry.path);
    }
    return xattrs_.read(xattrs, entry);
  }

  Result<void> read_directory(InodeRef ref, bool extended, TarEntry& entry) {
    if (!seen_.insert(ref).second) {
      return fail(squash_damaged("a directory is in several places"));
    }
    entry.type = EntryType::kDirectory;
    Directory directory;
    std::uint32_t xattrs = squash::kNoXattrs;
    if (extended) {
      const auto inode = SBX_TRY(inodes_.get<squash::LongDirectoryInode>());
      directory = {entry.path, inode.block, inode.offset, inode.size};
      xattrs = inode.xattrs;
    } else {
      const auto inode = SBX_TRY(inodes_.get<squash::DirectoryInode>());
      directory = {entry.path, inode.block, inode.offset, inode.size};
    }
    directories_.push_back(std::move(directory));
    return xattrs_.read(xattrs, entry);
  }

  Result<void> read_symlink(TarEntry& entry, std::uint32_t& nlink) {
    const auto inode = SBX_TRY(inodes_.get<squash::SymlinkInode>());
    if (inode.size == 0 || inode.size > kMaxPath) {
      return fail(squash_damaged("its symlink target has no length that one can have"));
    }
    entry.type = EntryType::kSymlink;
    entry.link.resize(inode.size);
    SBX_TRY(inodes_.read(std::as_writable_bytes(std::span(entry.link))));
    if (entry.link.find('\0') != std::string::npos) {
      return fail(squash_damaged("its symlink target has a NUL byte"));
    }
    nlink = inode.nlink;
    return {};
  }

  Result<void> read_file(bool extended, TarEntry& entry, std::uint32_t& nlink,
                         std::uint32_t& xattrs) {
    squash::LongFileInode inode{};
    if (extended) {
      inode = SBX_TRY(inodes_.get<squash::LongFileInode>());
    } else {
      const auto small = SBX_TRY(inodes_.get<squash::FileInode>());
      inode = {small.start, small.size, 0, 1, small.fragment, small.offset, squash::kNoXattrs};
    }
    nlink = inode.nlink;
    xattrs = inode.xattrs;
    entry.size = inode.size;
    entry.sparse = true;
    return read_blocks(inode, entry);
  }

  Result<void> read_blocks(const squash::LongFileInode& inode, TarEntry& entry) {
    const std::uint64_t size = super_.block_size;
    const std::uint64_t tail = inode.size % size;
    const bool fragment = inode.fragment != squash::kNoFragment && tail != 0;
    const std::uint64_t count = inode.size / size + (tail != 0 && !fragment ? 1 : 0);
    listed_blocks_ += count;
    // Holes are listed too, and cost nothing in a compressed file: 1 TiB of them has 8 million.
    if (count > kMostListed || listed_blocks_ > kMostListed) {
      return fail(Error::make(ErrorCode::kLimit, "read squashfs", entry.path,
                              "its files have too many blocks"));
    }
    std::uint64_t at = inode.start;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto stored = SBX_TRY(inodes_.get<std::uint32_t>());
      if (stored != 0) {
        const std::uint64_t length = std::min(size, inode.size - i * size);
        SBX_TRY(add_block(entry, i * size, at, stored, 0, length));
        at += stored & format::kBlockSizeMask;
      }
    }
    if (!fragment) {
      return {};
    }
    if (inode.fragment >= fragments_.size()) {
      return fail(squash_damaged("its last bytes are in a fragment that is not in the table"));
    }
    const squash::Fragment& block = fragments_[inode.fragment];
    if (inode.offset > size - tail) {
      return fail(squash_damaged("its last bytes lie outside of their fragment"));
    }
    return add_block(entry, count * size, block.start, block.stored, inode.offset, tail);
  }

  Result<void> add_block(TarEntry& entry, std::uint64_t file_offset, std::uint64_t at,
                         std::uint32_t stored, std::uint32_t skip, std::uint64_t length) {
    const std::uint32_t bytes = stored & format::kBlockSizeMask;
    const bool plain = (stored & format::kBlockPlain) != 0;
    const bool known = (stored & ~(format::kBlockSizeMask | format::kBlockPlain)) == 0;
    if (!known || bytes == 0 || bytes > super_.block_size || at < sizeof(squash::SuperBlock) ||
        at > super_.bytes_used || bytes > super_.bytes_used - at ||
        (plain && skip + length > bytes)) {
      return fail(squash_damaged("a block of its data lies outside of the squashfs"));
    }
    if (entry.extents.size() >= budget_.limits().extents) {
      return fail(
          Error::make(ErrorCode::kLimit, "read squashfs", entry.path, "it has too many blocks"));
    }
    entry.extents.push_back({file_offset, format::pack_block(stored, skip), base_ + at});
    return {};
  }

  Result<void> list(const Directory& directory) {
    std::vector<Listed> names = SBX_TRY(read_names(directory));
    SBX_TRY(check_names(names));
    for (Listed& entry : names) {
      std::string path = below(directory.path, entry.name);
      if (path.size() > kMaxPath) {
        return fail(Error::make(ErrorCode::kLimit, "read squashfs", path, "the path is too long"));
      }
      SBX_TRY(add(std::move(path), entry.ref));
    }
    return {};
  }

  Result<std::vector<Listed>> read_names(const Directory& directory) {
    constexpr std::uint32_t kDots = 3;  // "." and "..", which are counted and not stored
    std::vector<Listed> names;
    std::uint32_t left = directory.size > kDots ? directory.size - kDots : 0;
    SBX_TRY(listings_.seek(super_.directories + directory.block, directory.offset));
    while (left != 0) {
      const auto head = SBX_TRY(listings_.get<squash::DirectoryHead>());
      if (head.count > 255 || left < sizeof head) {
        return fail(squash_damaged("the directory is damaged"));
      }
      left -= static_cast<std::uint32_t>(sizeof head);
      for (std::uint32_t i = 0; i <= head.count; ++i) {
        const auto entry = SBX_TRY(listings_.get<squash::DirectoryEntry>());
        const std::uint32_t size = entry.size + 1U;
        if (size > kMaxName || left < sizeof entry + size) {
          return fail(squash_damaged("the directory is damaged"));
        }
        left -= static_cast<std::uint32_t>(sizeof entry) + size;
        SBX_TRY(budget_.take_step());
        if (names.size() >= budget_.limits().entries) {
          return fail(Error::make(ErrorCode::kLimit, "read squashfs", "",
                                  "it has too many files and directories"));
        }
        Listed& name = names.emplace_back(
            Listed{std::string(size, '\0'), InodeRef{head.block} << 16U | entry.offset});
        SBX_TRY(listings_.read(std::as_writable_bytes(std::span(name.name))));
      }
    }
    return names;
  }

  /// Names that one directory can have, each once. mksquashfs sorts them, but nothing says that everybody must.
  static Result<void> check_names(const std::vector<Listed>& names) {
    std::vector<std::string_view> sorted;
    for (const Listed& entry : names) {
      const std::string& name = entry.name;
      if (name == "." || name == ".." || name.find('/') != std::string::npos ||
          name.find('\0') != std::string::npos) {
        return fail(squash_damaged(fmt::format("'{}' is no name of a file", printable(name))));
      }
      sorted.push_back(name);
    }
    if (!std::is_sorted(sorted.begin(), sorted.end())) {
      std::sort(sorted.begin(), sorted.end());
    }
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    return twice == sorted.end()
               ? Result<void>()
               : fail(squash_damaged(fmt::format("it has '{}' twice", printable(*twice))));
  }

  // Block list entries of all files, holes included: 8 TiB of the usual blocks. Half a second of work.
  static constexpr std::uint64_t kMostListed = 64U << 20U;

  const squash::SuperBlock& super_;
  std::uint64_t base_;
  TreeBudget& budget_;
  LayerIndex& index_;
  SquashMeta tables_;
  SquashMeta inodes_;
  SquashMeta listings_;
  SquashXattrs xattrs_;
  std::vector<std::uint32_t> ids_;
  std::vector<squash::Fragment> fragments_;
  std::deque<Directory> directories_;
  std::unordered_set<InodeRef> seen_;                // directories
  std::unordered_map<InodeRef, std::string> links_;  // files with several names: the first one
  std::uint64_t listed_blocks_ = 0;
  std::uint32_t entries_ = 0;
};

}  // namespace

Result<SquashInfo> scan_squash(const SquashSource& source, TreeBudget& budget, LayerIndex& index) {
  const squash::SuperBlock super = SBX_TRY(read_squash_super(source));
  SquashCodec codec = SBX_TRY(SquashCodec::make(super.compression, super.block_size));
  return Scan(source, super, codec, budget, index).run();
}

}  // namespace sbx::layer
