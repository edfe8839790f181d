#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "layer/limits.hpp"
#include "layer/packed_entries.hpp"

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
  struct Gone {
    std::string directory;
    std::string name;  // empty: the directory is opaque
  };
  class Whiteouts;

  /// `budget` must outlive the index.
  explicit LayerIndex(TreeBudget& budget) : budget_(&budget) {}

  /// kCorrupt for a whiteout that is none, kLimit.
  Result<void> add(const TarEntry& entry);
  /// As add(), but no name is a whiteout: what a squashfs holds are files.
  Result<void> add_plain(const TarEntry& entry);

  [[nodiscard]] const PackedEntries& entries() const { return entries_; }

 private:
  Result<void> add_whiteout(std::string_view directory, std::string_view name);
  Result<void> add_entry(const TarEntry& entry);

  TreeBudget* budget_;
  PackedEntries entries_;
  PackedStream whiteouts_;
  std::string last_directory_;  // of a whiteout
};

/// Reads the whiteouts of a layer in order. The index must outlive it and not grow meanwhile.
class LayerIndex::Whiteouts {
 public:
  explicit Whiteouts(const LayerIndex& index) : stream_(index.whiteouts_) {}

  /// nullptr at the end; else good until the next call.
  const Gone* next();

 private:
  PackedStream::Reader stream_;
  Gone gone_;
};

}  // namespace sbx::layer
