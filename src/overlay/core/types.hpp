#pragma once

// Words that all of overlay/core uses.

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "base/strong.hpp"

namespace sbx::overlay {

/// What the kernel calls a file by. 1 is the root; up to kLastLowerId it is a LowerRef (a node that is
/// or was in the lower tree); above that it was born in the upper directory. Never used twice while the
/// kernel may still know it.
using NodeId = Strong<std::uint64_t, struct NodeIdTag>;
inline constexpr NodeId kRootNode{1};
inline constexpr std::uint64_t kLastLowerId = (std::uint64_t{1} << 40) - 1;

/// A file of the lower tree, as its Lower numbers it; 1 is the root, 0 is none.
using LowerRef = Strong<std::uint64_t, struct LowerRefTag>;
inline constexpr LowerRef kLowerRoot{1};
inline constexpr LowerRef kNoLower{0};

/// Longest name of a directory entry. The kernel's FUSE lets 1024 bytes through.
inline constexpr std::size_t kNameMax = 255;

/// A file name that ends in NUL, borrowed from whoever has it.
class Name {
 public:
  Name(const char* text) : text_(text) {}         // NOLINT: implicit on purpose
  Name(const std::string& text) : text_(text) {}  // NOLINT
  [[nodiscard]] const char* c_str() const { return text_.data(); }
  [[nodiscard]] std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

/// User and group as the sandbox counts them, unless said otherwise.
struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  friend bool operator==(const Owner&, const Owner&) = default;
};

/// What stat(2) says of a node.
struct Attr {
  std::uint64_t ino = 0;
  std::uint32_t mode = 0;
  std::uint32_t nlink = 1;
  Owner owner;
  std::uint64_t rdev = 0;
  std::uint64_t size = 0;
  std::uint64_t blocks = 0;  // of 512 bytes
  struct timespec atime {};
  struct timespec mtime {};
  struct timespec ctime {};

  [[nodiscard]] bool is_dir() const { return S_ISDIR(mode); }
};

/// How long the kernel may believe an answer. kForever unless the lower tree changes under us.
enum class Trust { kForever, kBriefly };

/// The answer to a lookup or a creation. An id of 0 means: no such file, and that may be remembered.
struct Entry {
  NodeId id{0};
  Attr attr;
  Trust trust = Trust::kForever;
};

/// Who asks.
struct Caller {
  Owner owner;
  std::uint32_t umask = 0;  // what a default ACL takes the place of
};

/// What setattr shall change. Times: UTIME_NOW and UTIME_OMIT mean in tv_nsec what they mean to utimensat(2).
struct AttrChange {
  bool set_mode = false;
  bool set_uid = false;
  bool set_gid = false;
  bool set_size = false;
  bool set_times = false;
  /// Clear set-user-id and set-group-id as a write by an ordinary user does.
  bool kill_privileges = false;
  std::uint32_t mode = 0;
  Owner owner;
  std::uint64_t size = 0;
  struct timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
};

/// FsResult's error half for a constant.
inline Unexpected<Errno> no(int error_number) { return fail(Errno(error_number)); }

}  // namespace sbx::overlay
