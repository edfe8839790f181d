#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "overlay/core/types.hpp"

namespace sbx::overlay {

class LowerPin;

/// Takes directory entries one after the other.
class EntrySink {
 public:
  EntrySink() = default;
  EntrySink(const EntrySink&) = delete;
  EntrySink& operator=(const EntrySink&) = delete;
  virtual ~EntrySink() = default;
  /// `type` is the S_IFMT part of a mode; 0 if not known. False: stop, this entry was not taken.
  virtual bool take(std::uint64_t index, std::string_view name, std::uint64_t ino,
                    std::uint32_t type) = 0;
};

/// The immutable tree below: an image or a directory of the host. Called from several threads.
///
/// References: a ref stays valid while it is pinned or while the kernel knows it (add_lookups,
/// drop_lookups). An implementation whose refs never go away ignores both except for the count.
class Lower {
 public:
  Lower() = default;
  Lower(const Lower&) = delete;
  Lower& operator=(const Lower&) = delete;
  virtual ~Lower() = default;

  /// Called once before all others, in the process that serves: what that one alone needs. By default nothing.
  virtual Result<void> prepare() { return {}; }
  /// The entry `name` of directory `dir`; ENOENT if there is none.
  virtual FsResult<LowerPin> lookup(LowerRef dir, std::string_view name) noexcept = 0;
  /// The type (S_IFMT) of an entry, without making a ref of it; ENOENT if there is none.
  virtual FsResult<std::uint32_t> probe(LowerRef dir, std::string_view name) noexcept = 0;
  /// Owners are as the lower tree has them; see IdView.
  virtual FsResult<Attr> attr(LowerRef ref) noexcept = 0;
  virtual FsResult<std::string> read_link(LowerRef ref) noexcept = 0;
  /// Up to data.size() bytes of a regular file; less only at its end.
  virtual FsResult<std::size_t> read(LowerRef ref, std::uint64_t offset,
                                     std::span<std::byte> data) noexcept = 0;
  /// SEEK_DATA or SEEK_HOLE.
  virtual FsResult<std::uint64_t> seek(LowerRef ref, std::uint64_t offset, int whence) noexcept = 0;
  /// Copies the first `length` bytes to the same offsets of `to`, an empty or all-hole file. Holes stay holes.
  virtual FsResult<void> copy_data(LowerRef ref, int to, std::uint64_t length) noexcept = 0;
  /// Entries from `index` on, in an order that stays the same. "." and ".." are not among them.
  virtual FsResult<void> list(LowerRef dir, std::uint64_t index, EntrySink& sink) noexcept = 0;
  /// The value, without a trailing NUL; ENODATA if there is none.
  virtual FsResult<std::string> xattr(LowerRef ref, std::string_view name) noexcept = 0;
  virtual FsResult<std::vector<std::string>> xattr_names(LowerRef ref) noexcept = 0;

  /// A name of a node: where it lies.
  struct Place {
    LowerRef dir;
    std::string name;
  };
  /// All names of a file that are known, at least one; the one name of a directory. ENOENT for the root.
  virtual FsResult<std::vector<Place>> places(LowerRef ref) noexcept = 0;
  /// The directory that a directory lies in; ENOENT for the root.
  virtual FsResult<LowerRef> parent(LowerRef dir) noexcept {
    return SBX_TRY(places(dir)).front().dir;
  }
  /// The node with this inode number, for numbers that find it directly; else ENOENT.
  virtual FsResult<LowerPin> by_number(std::uint64_t ino) noexcept = 0;

  /// An inode number for a file of the upper directory that no lower file has.
  virtual std::uint64_t number_for_upper(std::uint64_t device, std::uint64_t ino) noexcept = 0;
  /// kBriefly if others may change the tree.
  [[nodiscard]] virtual Trust trust() const noexcept = 0;
  /// False if no file has any, ever.
  [[nodiscard]] virtual bool has_xattrs() const noexcept { return true; }

  virtual void pin(LowerRef ref) noexcept = 0;
  virtual void unpin(LowerRef ref) noexcept = 0;
  virtual void add_lookups(LowerRef ref, std::uint64_t count) noexcept = 0;
  /// What is left.
  virtual std::uint64_t drop_lookups(LowerRef ref, std::uint64_t count) noexcept = 0;
  [[nodiscard]] virtual std::uint64_t lookups(LowerRef ref) noexcept = 0;
  /// False for a ref that is not in use.
  [[nodiscard]] virtual bool valid(LowerRef ref) noexcept = 0;
  /// Gives memory back that is not needed, or can be had again. Nobody calls anything else meanwhile.
  virtual void release_memory() noexcept {}
};

/// Holds a ref valid.
class LowerPin {
 public:
  LowerPin() = default;
  /// Takes over a pin that is already counted.
  LowerPin(Lower& lower, LowerRef ref) : lower_(&lower), ref_(ref) {}
  static LowerPin of(Lower& lower, LowerRef ref) {
    lower.pin(ref);
    return {lower, ref};
  }
  ~LowerPin() { reset(); }
  LowerPin(LowerPin&& other) noexcept
      : lower_(std::exchange(other.lower_, nullptr)), ref_(std::exchange(other.ref_, kNoLower)) {}
  LowerPin& operator=(LowerPin&& other) noexcept {
    if (this != &other) {
      reset();
      lower_ = std::exchange(other.lower_, nullptr);
      ref_ = std::exchange(other.ref_, kNoLower);
    }
    return *this;
  }
  LowerPin(const LowerPin&) = delete;
  LowerPin& operator=(const LowerPin&) = delete;

  [[nodiscard]] LowerRef ref() const { return ref_; }
  explicit operator bool() const { return lower_ != nullptr; }
  void reset() {
    if (lower_ != nullptr) {
      std::exchange(lower_, nullptr)->unpin(std::exchange(ref_, kNoLower));
    }
  }

 private:
  Lower* lower_ = nullptr;
  LowerRef ref_ = kNoLower;
};

}  // namespace sbx::overlay
