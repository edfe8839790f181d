#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "layer/image_tree.hpp"
#include "layer/squash_reader.hpp"
#include "overlay/core/lookup_counters.hpp"
#include "overlay/core/lower.hpp"
#include "sys/fd.hpp"

namespace sbx::overlay {

/// An image as the lower tree: metadata from the mapped ImageTree, data by pread from the layers' tars, or decompressed from the
/// one squashfs.
/// A LowerRef is a tree inode number, so that a lookup allocates nothing; what the kernel knows is counted
/// in an array of bytes of which only the touched pages exist.
class LowerTree final : public Lower {
 public:
  /// `layers` are the open tars in the tree's order, or the one file with the squashfs. kInvalidArgument if their number is wrong.
  static Result<std::unique_ptr<LowerTree>> make(layer::ImageTree tree,
                                                 std::vector<sys::Fd> layers);

  /// Loads the decompressor of a squashfs: kNotFound, kUnsupported.
  Result<void> prepare() override;
  FsResult<LowerPin> lookup(LowerRef dir, std::string_view name) noexcept override;
  FsResult<std::uint32_t> probe(LowerRef dir, std::string_view name) noexcept override;
  FsResult<Attr> attr(LowerRef ref) noexcept override;
  FsResult<std::string> read_link(LowerRef ref) noexcept override;
  FsResult<std::size_t> read(LowerRef ref, std::uint64_t offset,
                             std::span<std::byte> data) noexcept override;
  FsResult<std::uint64_t> seek(LowerRef ref, std::uint64_t offset, int whence) noexcept override;
  FsResult<void> copy_data(LowerRef ref, int to, std::uint64_t length) noexcept override;
  FsResult<void> list(LowerRef dir, std::uint64_t index, EntrySink& sink) noexcept override;
  FsResult<std::string> xattr(LowerRef ref, std::string_view name) noexcept override;
  FsResult<std::vector<std::string>> xattr_names(LowerRef ref) noexcept override;
  FsResult<std::vector<Place>> places(LowerRef ref) noexcept override;
  FsResult<LowerRef> parent(LowerRef dir) noexcept override;
  FsResult<LowerPin> by_number(std::uint64_t ino) noexcept override;
  std::uint64_t number_for_upper(std::uint64_t device, std::uint64_t ino) noexcept override;
  [[nodiscard]] Trust trust() const noexcept override { return Trust::kForever; }
  [[nodiscard]] bool has_xattrs() const noexcept override { return tree_.has_xattrs(); }
  void pin(LowerRef) noexcept override {}
  void unpin(LowerRef) noexcept override {}
  void add_lookups(LowerRef ref, std::uint64_t count) noexcept override;
  std::uint64_t drop_lookups(LowerRef ref, std::uint64_t count) noexcept override;
  [[nodiscard]] std::uint64_t lookups(LowerRef ref) noexcept override;
  [[nodiscard]] bool valid(LowerRef ref) noexcept override;
  void release_memory() noexcept override;

 private:
  struct Position {
    layer::TreeIno dir = layer::kNoInode;
    std::uint32_t index = 0;
  };

  LowerTree(layer::ImageTree tree, std::vector<sys::Fd> layers, sys::AnonymousBuffer counters);
  FsResult<void> copy_blocks(layer::TreeIno ino, int to, std::uint64_t length) noexcept;
  void index_places();
  [[nodiscard]] std::optional<Position> find_place(layer::TreeIno ino);

  layer::ImageTree tree_;
  std::vector<sys::Fd> layers_;
  std::optional<layer::SquashReader> squash_;
  LookupCounters counters_;               // inode_count() + 1 of them
  std::atomic<std::uint32_t> asked_ = 0;  // attributes

  // Where the names are; built when searching the directories that the tree names has looked at as many entries as there
  // are, or for a file with several names. Guards the three fields below; a leaf.
  std::mutex places_mutex_;
  std::uint64_t searched_ = 0;         // entries
  std::vector<Position> first_place_;  // by tree inode; empty: not built yet
  std::unordered_multimap<layer::TreeIno, Position>
      more_places_;  // further names of hard-linked files
};

}  // namespace sbx::overlay
