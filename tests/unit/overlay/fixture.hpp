#pragma once

// An Overlay on temporary directories, used the way the kernel uses it: lookups that are counted and forgotten.

#include <fcntl.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overlay/core/overlay.hpp"

namespace sbx::overlay::test {

using Path = std::vector<std::string>;

/// "a/b" to names.
Path path_of(std::string_view text);

/// A fresh directory, removed at the end of its life. On a file system with user xattrs: not /tmp, which is often a tmpfs.
class Scratch {
 public:
  /// Below `base`; if null, below SBX_TEST_DIR or /var/tmp.
  explicit Scratch(const char* base = nullptr);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Makes the directory if need be, and opens it.
  [[nodiscard]] sys::Fd dir(const std::string& name) const;

 private:
  std::string path_;
};

IdView all_ids();

/// What the upper directories of the tests are made to lie on, by the variable SBX_TEST_UPPER: "xattrs" (as the disk is), "side-files" (no
/// user xattrs), "plain" (user xattrs, but no devices and no flags of rename), "bare" (none of all that, and no hard links). And what
/// SBX_TEST_DIR lies on, by SBX_TEST_LACKS: words of restricted_fs, which the file system has to find out by itself.
struct UpperKind {
  Abilities allowed;  // what it may make use of
  Abilities has;      // what the tests expect of it
  static UpperKind of_environment();
  static UpperKind named(std::string_view name);
};

/// An attribute of a file in the directory "upper", as it is stored; "none" if it is not there.
std::string stored_mark(const Scratch& scratch, const std::string& path, const char* name);
void store_mark(const Scratch& scratch, const std::string& path, const char* name,
                const std::string& value);

/// The directories "upper" and "work" in `scratch`.
std::unique_ptr<Upper> open_upper(const Scratch& scratch, const UpperKind& kind);

/// An overlay of `lower` and open_upper().
std::unique_ptr<Overlay> make_overlay(const Scratch& scratch, std::unique_ptr<Lower> lower,
                                      IdView ids = all_ids(),
                                      std::uint64_t copy_by_parts_from = std::uint64_t{1} << 20U,
                                      const UpperKind& kind = UpperKind::of_environment());
std::unique_ptr<Overlay> make_overlay(std::unique_ptr<Upper> upper, std::unique_ptr<Lower> lower,
                                      IdView ids = all_ids(),
                                      std::uint64_t copy_by_parts_from = std::uint64_t{1} << 20U);

/// Runs it in a child process; what it returned, 0 to 100, or -1 if it did not come that far.
int in_child(const std::function<int()>& body);
/// From now on these system calls (SYS_*) fail in this process, with this errno. False if it cannot be had.
[[nodiscard]] bool refuse_calls(std::initializer_list<int> calls, int error);

/// A node that the "kernel" knows until the end of this object's life.
class Held {
 public:
  Held(Overlay& overlay, NodeId id, std::uint64_t lookups = 1)
      : overlay_(&overlay), id_(id), lookups_(lookups) {}
  ~Held();
  Held(Held&& other) noexcept
      : overlay_(other.overlay_), id_(other.id_), lookups_(std::exchange(other.lookups_, 0)) {}
  Held& operator=(Held&& other) noexcept;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  [[nodiscard]] NodeId id() const { return id_; }

 private:
  Overlay* overlay_;
  NodeId id_;
  std::uint64_t lookups_;
};

/// Walks there by lookups. ENOENT if it is not there.
FsResult<Held> walk(Overlay& overlay, const Path& path);

std::string read_all(Overlay& overlay, NodeId id);

struct Listed {
  std::string name;
  Entry entry;
};
/// All entries but "." and "..", in order, read `step` at a time; with attributes, lookups are forgotten again.
std::vector<Listed> list_all(Overlay& overlay, NodeId dir, ListKind kind, std::size_t step = 3);

}  // namespace sbx::overlay::test
