#pragma once

#include <compare>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "overlay/core/fd_cache.hpp"
#include "overlay/core/lower.hpp"
#include "sys/fd.hpp"

namespace sbx::overlay {

/// A directory tree of the host as the lower tree, or several of them merged as an overlay of theirs would show them
/// (lower_dir_layers.cpp). Nodes are reached by path, below the root and through no symlink (openat2); there is no
/// descriptor per node. The tree may change while it is served: what is no longer there gives ESTALE or ENOENT, what
/// was replaced gets a new ref at the next lookup.
class LowerDir final : public Lower {
 public:
  struct Options {
    /// Others write to the tree: files are compared by change time too, and the kernel believes only briefly.
    bool live = false;
    /// Paths such as "proc" or "var/run", shown as empty directories.
    std::vector<std::string> exclude;
    /// Most descriptors to keep open.
    std::size_t open_files = 256;
  };
  /// As many as the kernel's overlay takes (OVL_MAX_STACK).
  static constexpr std::size_t kMostLayers = 500;

  /// `root`: a directory, opened O_PATH or O_RDONLY. Served as it is, whatever its names and attributes.
  static Result<std::unique_ptr<LowerDir>> make(sys::Fd root, Options options);
  /// Directories that are layers of an overlay, the uppermost first, opened O_RDONLY: whiteouts, opaque directories and
  /// override_stat attributes mean what they mean there and are not shown. At least one, at most kMostLayers.
  static Result<std::unique_ptr<LowerDir>> stack(std::vector<sys::Fd> roots, Options options);

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
  FsResult<LowerPin> by_number(std::uint64_t) noexcept override { return no(ENOENT); }
  std::uint64_t number_for_upper(std::uint64_t device, std::uint64_t ino) noexcept override;
  [[nodiscard]] Trust trust() const noexcept override;
  void pin(LowerRef ref) noexcept override;
  void unpin(LowerRef ref) noexcept override;
  void add_lookups(LowerRef ref, std::uint64_t count) noexcept override;
  std::uint64_t drop_lookups(LowerRef ref, std::uint64_t count) noexcept override;
  [[nodiscard]] std::uint64_t lookups(LowerRef ref) noexcept override;
  [[nodiscard]] bool valid(LowerRef ref) noexcept override;

 private:
  /// A node that somebody knows. Holds its parent as long as it lives.
  struct Slot {
    std::vector<Place>
        places;  // the first one is how it is reached; empty for the root and free slots
    std::uint64_t device = 0;
    std::uint64_t ino = 0;
    struct timespec changed {};
    std::uint32_t type = 0;  // S_IFMT
    std::uint32_t pins = 0;
    std::uint32_t layers = 0;  // where it lies: an index of layer_sets_
    std::uint64_t lookups = 0;
    bool used = false;
    bool excluded = false;
  };
  struct Listed {
    std::string name;
    std::uint64_t ino;
    std::uint32_t type;
  };
  using Listing = std::vector<Listed>;
  using PlaceKey = std::pair<std::uint64_t, std::string>;  // directory, name
  struct PlaceHash {
    std::size_t operator()(const PlaceKey& key) const noexcept;
  };
  using FileKey = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
  /// One directory of the stack.
  struct Layer {
    sys::Fd root;
    const char* override_stat =
        nullptr;  // the attribute that has owners and modes, if its files have one
  };
  /// The layers that a node lies in, the uppermost first: one for a file, maybe several for a directory.
  struct InLayer {
    std::uint16_t layer = 0;
    bool marked = false;  // a directory there that may hold whiteouts in the xattr form
    auto operator<=>(const InLayer&) const = default;
  };
  using LayerSet = std::vector<InLayer>;
  /// What a lookup found.
  struct Seen {
    struct stat st {};
    LayerSet layers{InLayer{}};
  };

  LowerDir(std::vector<Layer> layers, Options options, bool stacked, const struct stat& st);

  // All of these expect mutex_ to be held.
  [[nodiscard]] Slot* slot(LowerRef ref) noexcept;
  [[nodiscard]] bool same(const Slot& slot, const struct stat& st,
                          std::uint32_t layers) const noexcept;
  LowerRef intern(LowerRef dir, std::string_view name, const Seen& seen);
  std::uint32_t intern_layers(const LayerSet& layers);
  [[nodiscard]] InLayer top_of(const Slot& slot) const noexcept {
    return layer_sets_[slot.layers].front();
  }
  void detach(LowerRef ref);
  void release_if_unused(LowerRef ref) noexcept;
  [[nodiscard]] FsResult<std::string> path_of(LowerRef ref) noexcept;
  [[nodiscard]] bool is_excluded(LowerRef dir, std::string_view name) noexcept;

  /// What one descriptor is cached by.
  [[nodiscard]] static std::uint64_t fd_key(LowerRef ref, std::uint16_t layer) noexcept {
    return ref.get() | (std::uint64_t{layer} << 48U);
  }
  /// An O_PATH descriptor of a directory, as it is in one layer.
  FsResult<FdRef> dir_fd(LowerRef dir, std::uint16_t layer) noexcept;
  /// A readable descriptor of a regular file.
  FsResult<FdRef> file_fd(LowerRef ref) noexcept;
  /// Opens a node by its first place and checks that it is still the one that was interned.
  FsResult<sys::Fd> reopen(LowerRef ref, int flags) noexcept;
  FsResult<sys::Fd> open_for_xattr(LowerRef ref) noexcept;
  FsResult<Seen> find(LowerRef dir, std::string_view name) noexcept;
  [[nodiscard]] const LayerSet& layer_set(std::uint32_t number) noexcept;
  FsResult<std::shared_ptr<const Listing>> listing(LowerRef dir, std::uint64_t index) noexcept;
  FsResult<Listing> read_listing(LowerRef dir) noexcept;
  [[nodiscard]] std::uint64_t number(std::uint64_t device, std::uint64_t ino) const noexcept;

  // lower_dir_layers.cpp
  FsResult<Seen> find_in_layers(LowerRef dir, const LayerSet& layers,
                                const std::string& name) noexcept;
  FsResult<sys::Fd> open_in_layer(LowerRef dir, std::uint16_t layer, int flags) noexcept;
  FsResult<Listing> read_merged(LowerRef dir, const LayerSet& layers) noexcept;
  FsResult<void> apply_override(LowerRef ref, Attr& attr) noexcept;

  Options options_;
  std::vector<Layer> layers_;
  bool stacked_;  // made by stack()
  std::uint64_t root_device_;
  FdCache fds_;

  // Guards all below. A leaf: no system call is made while it is held.
  std::mutex mutex_;
  std::deque<Slot> slots_;  // by ref; slot 0 is not used
  std::vector<std::uint64_t> free_;
  std::deque<LayerSet>
      layer_sets_;  // each once; there are few. Never changed: an entry may be read without the lock
  std::map<LayerSet, std::uint32_t> layer_set_index_;
  std::unordered_map<PlaceKey, std::uint64_t, PlaceHash> by_place_;
  std::map<FileKey, std::uint64_t> linked_;                           // files of more than one name
  std::map<std::uint64_t, std::shared_ptr<const Listing>> listings_;  // of directories being read
};

}  // namespace sbx::overlay
