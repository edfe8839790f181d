#pragma once

// ImageTrees made by hand, without tars: for the tests of layer and overlay.

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "layer/image_tree.hpp"
#include "layer/merged_tree.hpp"
#include "sys/fd.hpp"
#include "sys/file.hpp"

namespace sbx::test {

/// fixture.dir("usr").file("usr/a", 512, 10).symlink("b", "usr/a").next_layer().whiteout("b"); fixture.build();
class TreeFixture {
 public:
  explicit TreeFixture(layer::TreeLimits limits = {})
      : budget_(std::make_unique<layer::TreeBudget>(limits)) {
    next_layer();
  }

  TreeFixture& dir(std::string path, std::uint32_t mode = 0755) {
    layer::TarEntry e;
    e.path = std::move(path);
    e.type = layer::EntryType::kDirectory;
    e.mode = mode;
    return add(e);
  }
  TreeFixture& file(std::string path, std::uint64_t data_offset = 0, std::uint64_t size = 0,
                    std::uint32_t mode = 0644) {
    layer::TarEntry e;
    e.path = std::move(path);
    e.mode = mode;
    e.data_offset = data_offset;
    e.size = size;
    return add(e);
  }
  TreeFixture& symlink(std::string path, std::string target) {
    layer::TarEntry e;
    e.path = std::move(path);
    e.type = layer::EntryType::kSymlink;
    e.link = std::move(target);
    return add(e);
  }
  TreeFixture& link(std::string path, std::string target) {
    layer::TarEntry e;
    e.path = std::move(path);
    e.type = layer::EntryType::kHardLink;
    e.link = std::move(target);
    return add(e);
  }
  TreeFixture& whiteout(const std::string& path) {
    const std::size_t slash = path.rfind('/') + 1;  // npos + 1 is 0
    return file(path.substr(0, slash) + ".wh." + path.substr(slash));
  }
  TreeFixture& opaque(const std::string& path) {
    return file(path.empty() ? ".wh..wh..opq" : path + "/.wh..wh..opq");
  }
  TreeFixture& add(const layer::TarEntry& entry) {
    if (failure_.has_value()) {
      failure_ = indexes_.back().add(entry);
    }
    return *this;
  }
  TreeFixture& next_layer() {
    indexes_.emplace_back(*budget_);
    return *this;
  }

  /// Merges and writes; the first failure of all steps.
  Result<layer::ImageTree> try_build(std::uint64_t tar_size = 1U << 20U) {
    return layer::ImageTree::open(SBX_TRY(write(tar_size)), "memory");
  }
  /// The bytes of the file.
  std::string build_bytes() {
    Result<sys::Fd> fd = write(1U << 20U);
    REQUIRE(fd);
    return sys::read_fd(
               sys::open_at(AT_FDCWD, "/proc/self/fd/" + std::to_string(fd->get()), O_RDONLY)
                   ->get(),
               SIZE_MAX / 2, "memory")
        .value();
  }
  layer::ImageTree build() {
    Result<layer::ImageTree> tree = try_build();
    if (!tree) {
      FAIL(tree.error().message());
    }
    const Result<void> verified = tree->verify();
    if (!verified) {
      FAIL(verified.error().message());
    }
    return std::move(tree).value();
  }

 private:
  Result<sys::Fd> write(std::uint64_t tar_size) {
    SBX_TRY(failure_);
    layer::MergedTree tree(*budget_);
    for (std::size_t i = 0; i < indexes_.size(); ++i) {
      oci::DigestBytes id{};
      id[0] = static_cast<std::uint8_t>(i + 1);
      SBX_TRY(tree.apply(indexes_[i], oci::DiffId(id), tar_size));
    }
    sys::Fd fd(::memfd_create("tree", MFD_CLOEXEC));
    SBX_TRY(tree.write(fd.get(), oci::ChainId(), "memory"));
    return fd;
  }

  std::unique_ptr<layer::TreeBudget> budget_;
  std::vector<layer::LayerIndex> indexes_;
  Result<void> failure_;
};

/// Every path of the tree, directories with a slash at the end, sorted, one per line.
inline std::string list_tree(const layer::ImageTree& tree, layer::TreeIno dir = layer::kTreeRoot,
                             const std::string& prefix = "") {
  std::string out;
  for (std::uint32_t i = 0; i < tree.entry_count(dir); ++i) {
    const auto entry = tree.entry(dir, i);
    REQUIRE(entry.has_value());
    const std::string path = prefix + std::string(entry->name);
    const bool is_dir = S_ISDIR(tree.inode(entry->ino)->mode);
    out += path + (is_dir ? "/\n" : "\n");
    out += is_dir ? list_tree(tree, entry->ino, path + "/") : "";
  }
  return out;
}

}  // namespace sbx::test
