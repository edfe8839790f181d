#pragma once

// Squashfs images made by hand, uncompressed, with whatever lies a test wants in them.

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "layer/squash_format.hpp"
#include "layer/squash_meta.hpp"
#include "sys/fd.hpp"

namespace sbx::test {

namespace squash = layer::squash;

template <class Record>
std::string bytes_of(const Record& record) {
  return {reinterpret_cast<const char*>(&record), sizeof record};
}

/// builder.add("file", builder.file(...)); builder.root({...}); builder.open(). One metadata block for each table.
class SquashBuilder {
 public:
  struct Name {
    std::string name;
    std::uint16_t inode = 0;  // what a function below returned
  };
  static constexpr std::uint32_t kBlock = 4096;

  /// Bytes among the data; where they begin.
  std::uint32_t data(std::string_view bytes) {
    const auto at = static_cast<std::uint32_t>(sizeof(squash::SuperBlock) + data_.size());
    data_ += bytes;
    return at;
  }
  std::uint32_t fragment(std::string_view bytes) {
    fragments_.push_back({data(bytes), static_cast<std::uint32_t>(bytes.size()) | 1U << 24U, 0});
    return static_cast<std::uint32_t>(fragments_.size() - 1);
  }
  std::uint16_t file(std::uint32_t start, std::uint32_t size,
                     const std::vector<std::uint32_t>& blocks,
                     std::uint32_t fragment = squash::kNoFragment, std::uint32_t offset = 0) {
    const std::uint16_t at = begin(squash::kFile, 0644);
    inodes_ += bytes_of(squash::FileInode{start, fragment, offset, size});
    for (const std::uint32_t block : blocks) {
      inodes_ += bytes_of(block);
    }
    return at;
  }
  std::uint16_t long_file(const squash::LongFileInode& inode,
                          const std::vector<std::uint32_t>& blocks = {}) {
    const std::uint16_t at = begin(squash::kFile + squash::kExtended, 0640);
    inodes_ += bytes_of(inode);
    for (const std::uint32_t block : blocks) {
      inodes_ += bytes_of(block);
    }
    return at;
  }
  std::uint16_t symlink(std::string_view target) {
    const std::uint16_t at = begin(squash::kSymlink, 0777);
    inodes_ += bytes_of(squash::SymlinkInode{1, static_cast<std::uint32_t>(target.size())});
    inodes_ += target;
    return at;
  }
  std::uint16_t device(std::uint32_t number, std::uint32_t nlink = 1) {
    const std::uint16_t at = begin(squash::kCharDevice, 0600);
    inodes_ += bytes_of(squash::DeviceInode{nlink, number});
    return at;
  }
  std::uint16_t socket() {
    const std::uint16_t at = begin(squash::kSocket, 0755);
    inodes_ += bytes_of(std::uint32_t{1});
    return at;
  }
  /// Also the root, if it is the last one.
  std::uint16_t directory(const std::vector<Name>& names,
                          std::uint32_t xattrs = squash::kNoXattrs) {
    const auto offset = static_cast<std::uint16_t>(listings_.size());
    if (!names.empty()) {
      listings_ +=
          bytes_of(squash::DirectoryHead{static_cast<std::uint32_t>(names.size() - 1), 0, 1});
    }
    for (const Name& name : names) {
      listings_ += bytes_of(squash::DirectoryEntry{
          name.inode, 0, squash::kFile, static_cast<std::uint16_t>(name.name.size() - 1)});
      listings_ += name.name;
    }
    const auto size = static_cast<std::uint32_t>(listings_.size() - offset + 3);
    root_ = begin(squash::kDirectory + squash::kExtended, 0755);
    inodes_ += bytes_of(squash::LongDirectoryInode{2, size, 0, 0, 0, offset, xattrs});
    return root_;
  }
  /// The n-th call makes index n: pairs as they stand in the table.
  void xattrs(const std::string& pairs, std::uint32_t count) {
    xattr_ids_.push_back({pairs_.size(), count, static_cast<std::uint32_t>(pairs.size())});
    pairs_ += pairs;
  }

  squash::SuperBlock super{};  // what open() finds set stays

  [[nodiscard]] std::string bytes() {
    std::string out = std::string(sizeof super, '\0') + data_;
    super.inodes = super.inodes != 0 ? super.inodes : out.size();
    out += meta(inodes_);
    super.directories = super.directories != 0 ? super.directories : out.size();
    out += meta(listings_);
    super.fragments = squash::kNoTable;
    std::string fragments;
    for (const squash::Fragment& each : fragments_) {
      fragments += bytes_of(each);
    }
    if (!fragments.empty()) {
      super.fragments = table(out, fragments);
    }
    super.fragment_count = static_cast<std::uint32_t>(fragments_.size());
    super.ids = table(out, bytes_of(std::array<std::uint32_t, 2>{0, 1234}));
    super.id_count = 2;
    super.xattrs = squash::kNoTable;
    if (!xattr_ids_.empty()) {
      add_xattr_table(out);
    }
    super.magic = super.magic != 0 ? super.magic : squash::kMagic;
    super.major = super.major != 0 ? super.major : 4;
    super.block_size = super.block_size != 0 ? super.block_size : kBlock;
    super.block_log = super.block_log != 0 ? super.block_log : 12;
    super.compression = super.compression != 0 ? super.compression : 1;
    super.root = root_;
    super.bytes_used = super.bytes_used != 0 ? super.bytes_used : out.size();
    std::memcpy(out.data(), &super, sizeof super);
    return out;
  }

  /// In a file that begins `base` bytes earlier. Lives as long as the builder.
  layer::SquashSource open(std::uint64_t base = 0) {
    const std::string image = std::string(base, 'x') + bytes();
    file_ = sys::Fd(::memfd_create("squashfs", MFD_CLOEXEC));
    REQUIRE(::write(file_.get(), image.data(), image.size()) == static_cast<ssize_t>(image.size()));
    return {file_.get(), base, image.size() - base};
  }

 private:
  std::uint16_t begin(int type, std::uint16_t mode) {
    const auto at = static_cast<std::uint16_t>(inodes_.size());
    inodes_ += bytes_of(squash::InodeHead{static_cast<std::uint16_t>(type), mode, 1, 0, 1000, 1});
    return at;
  }
  static std::string meta(const std::string& content) {
    REQUIRE(content.size() <= squash::kMetaBlock);
    const auto size = static_cast<std::uint16_t>(content.size() | squash::kMetaPlain);
    return content.empty() ? std::string("\x01\x80z", 3) : bytes_of(size) + content;
  }
  static std::uint64_t table(std::string& out, const std::string& content) {
    const std::uint64_t block = out.size();
    out += meta(content);
    const std::uint64_t at = out.size();
    out += bytes_of(block);
    return at;
  }
  void add_xattr_table(std::string& out) {
    const std::uint64_t pairs = out.size();
    out += meta(pairs_);
    const std::uint64_t ids = out.size();
    std::string content;
    for (const squash::XattrId& id : xattr_ids_) {
      content += bytes_of(id);
    }
    out += meta(content);
    super.xattrs = out.size();
    out += bytes_of(squash::XattrTable{pairs, static_cast<std::uint32_t>(xattr_ids_.size()), 0}) +
           bytes_of(ids);
  }

  std::string data_;
  std::string inodes_;
  std::string listings_;
  std::string pairs_;
  std::vector<squash::Fragment> fragments_;
  std::vector<squash::XattrId> xattr_ids_;
  std::uint16_t root_ = 0;
  sys::Fd file_;
};

}  // namespace sbx::test
