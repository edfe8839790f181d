#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "layer/image_tree_format.hpp"
#include "layer/limits.hpp"
#include "layer/tar_entry.hpp"

namespace sbx::layer {

/// What is left of the limits of one image; shared by its layers and its merged tree, so that many
/// layers cannot take more than one.
class TreeBudget {
 public:
  explicit TreeBudget(const TreeLimits& limits) : limits_(limits) {}

  /// kLimit once there are more than allowed.
  Result<void> take_entries(std::uint64_t count);
  Result<void> take_strings(std::uint64_t bytes);
  Result<void> take_extents(std::uint64_t count);
  Result<void> take_step();
  [[nodiscard]] const TreeLimits& limits() const { return limits_; }

 private:
  TreeLimits limits_;
  // Layers are indexed by several threads at once.
  std::atomic<std::uint64_t> entries_ = 0;
  std::atomic<std::uint64_t> strings_ = 0;
  std::atomic<std::uint64_t> extents_ = 0;
  std::atomic<std::uint64_t> steps_ = 0;
};

/// The entries of one layer in the order of its tar, whiteouts apart: they apply to the layers below,
/// wherever in the tar they stand. Filled while the layer arrives; merged afterwards.
class LayerIndex {
 public:
  struct Text {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  struct Entry {
    EntryType type = EntryType::kRegular;
    Text path;
    Text link;
    format::InodeRecord inode{};    // layer, xattr_set, nlink and parent are not set yet
    std::uint32_t first_xattr = 0;  // in xattrs(): names and values by turns
    std::uint32_t xattr_count = 0;
  };
  struct Gone {
    Text directory;
    Text name;  // empty: the directory is opaque
  };

  /// `budget` must outlive the index.
  explicit LayerIndex(TreeBudget& budget) : budget_(&budget) {}

  /// kCorrupt for a whiteout that is none, kLimit.
  Result<void> add(const TarEntry& entry);
  /// As add(), but no name is a whiteout: what a squashfs holds are files.
  Result<void> add_plain(const TarEntry& entry);

  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }
  [[nodiscard]] std::span<const Gone> whiteouts() const { return whiteouts_; }
  [[nodiscard]] std::span<const format::ExtentRecord> extents() const { return extents_; }
  [[nodiscard]] std::span<const Text> xattrs() const { return xattrs_; }
  [[nodiscard]] std::string_view text(Text text) const {
    return std::string_view(strings_).substr(text.offset, text.size);
  }

 private:
  Result<Text> keep(std::string_view text);
  Result<void> add_entry(const TarEntry& entry);

  TreeBudget* budget_;
  std::vector<Entry> entries_;
  std::vector<Gone> whiteouts_;
  std::vector<format::ExtentRecord> extents_;
  std::vector<Text> xattrs_;
  std::string strings_;
};

}  // namespace sbx::layer
