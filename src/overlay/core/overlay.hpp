#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/core/fd_cache.hpp"
#include "overlay/core/id_view.hpp"
#include "overlay/core/lower.hpp"
#include "overlay/core/node_table.hpp"
#include "overlay/core/posix_acl.hpp"
#include "overlay/core/quota.hpp"
#include "overlay/core/types.hpp"
#include "overlay/core/upper.hpp"

namespace sbx::overlay {

enum class Durability {
  kVolatile,  // fsync does nothing: the upper directory is thrown away anyway
  kDurable
};

/// Takes the answer to a readdir.
class DirSink {
 public:
  DirSink() = default;
  DirSink(const DirSink&) = delete;
  DirSink& operator=(const DirSink&) = delete;
  virtual ~DirSink() = default;
  /// `next`: the offset to go on from after this entry. With attributes, entry.id is not 0 and the lookup is
  /// counted; without, only entry.attr.ino and the type in entry.attr.mode are set. False: no room,
  /// not taken.
  virtual bool take(std::string_view name, const Entry& entry, std::uint64_t next) = 0;
  /// Begins again: what was taken is void.
  virtual void restart() = 0;
};

enum class ListKind { kPlain, kWithAttributes };

/// The overlay file system: one lower tree, one upper directory. All operations may be called from any
/// thread; none throws or aborts; a failure is an errno for the program that asked. One source
/// file per group of operations. Locks and invariants: README.md.
class Overlay {
 public:
  struct Options {
    std::unique_ptr<Lower> lower;
    std::unique_ptr<Upper> upper;  // null: read-only
    IdView ids;
    Durability durability = Durability::kDurable;
    std::size_t open_files = 256;
    bool static_nlink = false;  // directories have link count 1
    bool acls = false;          // POSIX ACLs are kept and shown, else EOPNOTSUPP
    bool xattrs = true;         // extended attributes are served at all
    /// Files of the lower tree from this size on are copied up by what is written of them, smaller ones as a whole.
    std::uint64_t copy_by_parts_from = std::uint64_t{1} << 20U;
    /// Of what the upper directory takes; what is there already counts.
    std::optional<QuotaLimits> quota;
  };

  static Result<std::unique_ptr<Overlay>> make(Options options);
  ~Overlay();
  /// In the process that serves, before the first operation.
  Result<void> prepare() { return lower_->prepare(); }
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  // lookup.cpp
  /// An entry with id 0, not ENOENT, for a name that is not there. Counts a lookup.
  FsResult<Entry> lookup(NodeId dir, Name name) noexcept;
  void forget(NodeId id, std::uint64_t lookups) noexcept;
  // attr.cpp
  FsResult<Attr> get_attr(NodeId id) noexcept;
  FsResult<Attr> set_attr(NodeId id, const AttrChange& change) noexcept;
  FsResult<std::string> read_link(NodeId id) noexcept;
  FsResult<struct statvfs> stat_fs() noexcept;
  [[nodiscard]] Trust trust(NodeId id) noexcept;
  // create.cpp: each counts a lookup. The umask is in `who`, or masked already.
  FsResult<Entry> make_node(NodeId dir, Name name, std::uint32_t mode, std::uint64_t rdev,
                            const Caller& who) noexcept;
  FsResult<Entry> make_dir(NodeId dir, Name name, std::uint32_t mode, const Caller& who) noexcept;
  FsResult<Entry> make_symlink(NodeId dir, Name name, std::string_view target,
                               const Caller& who) noexcept;
  FsResult<Entry> make_unnamed(NodeId dir, std::uint32_t mode,
                               const Caller& who) noexcept;  // O_TMPFILE
  FsResult<Entry> link(NodeId id, NodeId dir, Name name) noexcept;
  // remove.cpp
  FsResult<void> unlink(NodeId dir, Name name) noexcept;
  FsResult<void> remove_dir(NodeId dir, Name name) noexcept;
  // rename.cpp: flags as renameat2(2), without RENAME_WHITEOUT
  FsResult<void> rename(NodeId from_dir, Name from, NodeId to_dir, Name to,
                        unsigned flags) noexcept;
  // data.cpp
  FsResult<std::size_t> read(NodeId id, std::uint64_t offset, std::span<std::byte> data) noexcept;
  FsResult<void> write(NodeId id, std::uint64_t offset, std::span<const std::byte> data,
                       bool kill_privileges) noexcept;
  FsResult<void> allocate(NodeId id, int mode, std::uint64_t offset, std::uint64_t length) noexcept;
  FsResult<std::uint64_t> seek(NodeId id, std::uint64_t offset, int whence) noexcept;
  FsResult<std::size_t> copy_range(NodeId from, std::uint64_t from_offset, NodeId to,
                                   std::uint64_t to_offset, std::size_t length) noexcept;
  FsResult<void> sync(NodeId id, bool data_only) noexcept;
  // dir_stream.cpp
  FsResult<void> list(NodeId dir, std::uint64_t offset, ListKind kind, DirSink& sink) noexcept;
  // xattr.cpp
  /// False if no file can have one, now or later.
  [[nodiscard]] bool has_xattrs() const noexcept {
    return xattrs_ && (upper_ != nullptr || lower_->has_xattrs());
  }
  /// False if every request about them is to be answered with ENOSYS.
  [[nodiscard]] bool serves_xattrs() const noexcept { return xattrs_; }
  [[nodiscard]] bool serves_acls() const noexcept { return acls_ && xattrs_; }
  FsResult<std::string> xattr(NodeId id, std::string_view name) noexcept;
  FsResult<std::vector<std::string>> xattr_names(NodeId id) noexcept;
  /// `kill_set_group_id`: who sets an access ACL may not keep that bit.
  FsResult<void> set_xattr(NodeId id, std::string_view name, std::span<const std::byte> value,
                           int flags, bool kill_set_group_id = false) noexcept;
  FsResult<void> remove_xattr(NodeId id, std::string_view name) noexcept;

  /// Gives memory back that is not needed at the moment. For when nobody asks for anything: other operations wait meanwhile.
  void release_memory() noexcept;
  /// Nodes in memory (tests, statistics).
  [[nodiscard]] std::size_t node_count() noexcept;

 private:
  /// What an id stands for: a Node, or a file of the lower tree alone.
  struct Found {
    Node* node = nullptr;
    LowerRef lower = kNoLower;  // of the node, if it has one
    LowerPin pin;               // keeps a lower file valid that nobody else knows yet
  };
  /// Whether the tree lock is held for writing. Functions that would have to load something under kShared
  /// return kNeedExclusive, and with_tree() calls again.
  enum class Access { kShared, kExclusive };
  static constexpr int kNeedExclusive = 0x10000;  // no errno

  explicit Overlay(Options options);

  template <class Body>
  auto with_tree(Body body) noexcept -> decltype(body(Access::kShared));

  // All below expect tree_ to be held; those without an Access, exclusively unless said otherwise.

  // lookup.cpp
  FsResult<void> adopt_root(Node& root, const Attr& below) noexcept;
  [[nodiscard]] FsResult<Found> locate(NodeId id) noexcept;      // shared is enough
  [[nodiscard]] FsResult<Found> locate_dir(NodeId id) noexcept;  // shared is enough
  [[nodiscard]] static LowerRef lower_dir(const Found& dir) noexcept;
  [[nodiscard]] static NodeId id_of(const Found& found) noexcept;
  [[nodiscard]] FsResult<std::uint32_t> mode_of(const Found& found) noexcept;
  [[nodiscard]] FsResult<Entry> entry_of(Node& node, Access access) noexcept;  // counts a lookup
  [[nodiscard]] FsResult<Entry> entry_of_lower(
      LowerRef ref) noexcept;  // counts a lookup; shared is enough
  [[nodiscard]] FsResult<DirIndex*> index_of(Node& dir, Access access) noexcept;
  [[nodiscard]] FsResult<Node*> load_child(Node& dir, IndexEntry& entry, Access access) noexcept;
  [[nodiscard]] FsResult<Found> child(const Found& dir, Name name, Access access) noexcept;
  /// Where a name of the lower tree gets its own entry.
  struct EntryPlace {
    Node& dir;
    DirIndex& index;
    FdRef fd;
  };
  [[nodiscard]] FsResult<EntryPlace> place_in(const Found& dir, Access access) noexcept;
  [[nodiscard]] FsResult<Found> adopt_name(const Found& dir, Name name, Node& node,
                                           Access access) noexcept;
  /// Without link(2): the name of a hard-linked file gets a file of its own.
  [[nodiscard]] FsResult<Found> split_name(const Found& dir, Name name, LowerRef ref,
                                           Access access) noexcept;
  [[nodiscard]] FsResult<LowerPin> lower_of_stored(const Node& dir, std::string_view name,
                                                   const Stored& stored) noexcept;
  FsResult<void> read_index(Node& dir, DirIndex& index) noexcept;
  FsResult<void> end_interruption(Node& dir, int fd, DirIndex& index) noexcept;
  Node& node_of_stored(const Stored& stored, LowerPin lower) noexcept;
  [[nodiscard]] Trust trust_of(const Found& found) const noexcept;
  [[nodiscard]] FsResult<LowerPin> resolve_lower(std::string_view path) noexcept;
  [[nodiscard]] std::uint32_t lower_type(const Node& dir, std::string_view name) noexcept;
  void count_lookup(NodeId id, std::uint64_t count) noexcept;  // shared is enough
  [[nodiscard]] bool known_to_kernel(const Node& node) noexcept;
  void drop_if_unused(Node* node) noexcept;
  void add_link(Node& node, Node& dir, std::string_view name) noexcept;
  void drop_link(Node& node, const Node& dir, std::string_view name) noexcept;

  // paths.cpp: shared is enough
  [[nodiscard]] FsResult<FdRef> dir_fd(Node& dir) noexcept;
  [[nodiscard]] FsResult<FdRef> file_fd(Node& node) noexcept;
  [[nodiscard]] FsResult<FdRef> any_fd(Node& node) noexcept;
  [[nodiscard]] FsResult<std::string> upper_path(const Node& dir) noexcept;
  [[nodiscard]] FsResult<std::string> lower_path(LowerRef ref) noexcept;

  // attr.cpp
  [[nodiscard]] FsResult<Attr> attr_of(Node& node, Access access) noexcept;
  [[nodiscard]] XattrForm xattr_form() const noexcept {
    return upper_ == nullptr ? XattrForm::kOwn : upper_->xattr_form();
  }
  [[nodiscard]] FsResult<Attr> attr_of_lower(LowerRef ref) noexcept;  // as stored; shared is enough
  [[nodiscard]] FsResult<Attr> served_lower(LowerRef ref) noexcept;   // as served; shared is enough
  [[nodiscard]] FsResult<bool> changes_nothing(const Found& found,
                                               const AttrChange& change) noexcept;
  [[nodiscard]] FsResult<struct stat> host_stat(Node& node) noexcept;  // shared is enough
  FsResult<void> change_owner_and_mode(Node& node, const AttrChange& change) noexcept;
  FsResult<void> change_times(Node& node, const AttrChange& change) noexcept;
  FsResult<void> write_stat(Node& node) noexcept;
  FsResult<void> symlink_to_placeholder(Node& node) noexcept;
  FsResult<Attr> set_attr_locked(NodeId id, const AttrChange& change) noexcept;
  FsResult<void> kill_privileges(Node& node) noexcept;

  // xattr.cpp
  [[nodiscard]] bool shows(std::string_view name) const noexcept {
    return xattr_shown(name) || (acls_ && is_acl(name));
  }
  /// As it is kept; `below`: the lower tree has it. Expects tree_ not to be held.
  FsResult<std::string> kept_xattr(NodeId id, std::string_view name, bool& below) noexcept;
  /// Sets it under its name on disk, if the quota allows it.
  FsResult<void> keep_xattr(int fd, const std::string& disk, std::span<const std::byte> value,
                            int flags) noexcept;

  // acl.cpp
  /// What the default ACL of its directory makes of a new file.
  struct Inherited {
    std::uint32_t mode = 0;  // type included
    std::string access_acl;  // as stored; empty: none
    std::string default_acl;
  };
  // The first three expect tree_ not to be held.
  FsResult<std::string> acl(NodeId id, std::string_view name) noexcept;
  FsResult<void> set_acl(NodeId id, std::string_view name, std::span<const std::byte> value,
                         bool kill_set_group_id) noexcept;
  FsResult<void> remove_acl(NodeId id, std::string_view name) noexcept;
  /// Writes it as it is; null: takes away what is there.
  FsResult<void> keep_acl(const Found& found, std::string_view name, const PosixAcl* acl) noexcept;
  /// A lower file's as it is to be stored; empty if it is none.
  [[nodiscard]] std::string acl_from_lower(std::string_view value) const noexcept;
  [[nodiscard]] FsResult<Inherited> inherit(Node& dir, std::uint32_t mode,
                                            const Caller& who) noexcept;
  FsResult<void> give_acls(int fd, const Inherited& from) const noexcept;

  // copy_up.cpp
  [[nodiscard]] FsResult<Node*> copy_up(const Found& found) noexcept;
  [[nodiscard]] FsResult<Node*> copy_up_dir(LowerRef ref) noexcept;
  [[nodiscard]] FsResult<Node*> copy_up_file(LowerRef ref) noexcept;
  [[nodiscard]] FsResult<Node*> step_into(Node& dir, LowerRef ref,
                                          const std::string& name) noexcept;
  /// The inode number of a copy. Two files with that of the lower one would be taken for one file.
  enum class Number { kOfLower, kOwn };
  FsResult<void> copy_file_to_work(LowerRef ref, const std::string& work_name, Node& node,
                                   Number number = Number::kOfLower) noexcept;
  /// Takes a copy that got no name out of the work directory, and out of the quota.
  void discard_copy(const Node& node, const std::string& work_name) noexcept;
  FsResult<void> copy_xattrs(LowerRef ref, int fd) noexcept;
  /// Loads all directories that were moved before this server's time: a name of a hard-linked file may lie in one.
  FsResult<void> find_moved() noexcept;
  FsResult<void> place_copy(Node& node, const std::string& work_name,
                            std::vector<Lower::Place> places) noexcept;
  /// A name of the lower tree that still shows, and the directory that is to hold it in the upper one.
  struct Spot {
    Node* dir;
    std::string name;
  };
  /// Where a copy gets its names. Their directories are copied up.
  FsResult<std::vector<Spot>> free_spots(std::vector<Lower::Place> places) noexcept;
  /// Moves a file from the work directory to all these names, or to none.
  FsResult<void> move_to_spots(const std::string& work_name,
                               const std::vector<Spot>& spots) noexcept;
  /// See Upper::half_linked(): the file gets the names that it lacks or, if that fails, loses those it has.
  FsResult<void> finish_linking(const std::string& work_name) noexcept;
  FsResult<void> undo_linking(const std::string& work_name, std::uint64_t host_ino,
                              const std::vector<Lower::Place>& places) noexcept;

  // create.cpp
  [[nodiscard]] FsResult<Node*> writable_dir(NodeId id) noexcept;
  [[nodiscard]] FsResult<IndexEntry*> free_name(Node& dir, Name name) noexcept;
  [[nodiscard]] OverrideStat new_stat(const Node& dir, std::uint32_t mode, std::uint64_t rdev,
                                      const Caller& who) const noexcept;
  FsResult<Entry> create(NodeId dir, Name name, const OverrideStat& wish, std::string_view content,
                         const Inherited& from) noexcept;
  FsResult<void> replace_whiteout(const char* work_name, int dir, Name name) noexcept;
  FsResult<Entry> finish_new(Node& dir, Name name, const OverrideStat& stat, sys::Fd fd,
                             Quota::Admission& admission) noexcept;
  Node& new_node(const OverrideStat& stat, const struct stat& host) noexcept;
  void name_node(Node& dir, Name name, Node& node) noexcept;

  // remove.cpp
  FsResult<void> unlink_found(NodeId dir_id, Name name, Found& found) noexcept;
  FsResult<void> remove_found_dir(NodeId dir_id, Name name, const Found& found) noexcept;
  FsResult<void> remove_name(Node& dir, Name name, const Found& found) noexcept;
  FsResult<void> begin_removal(Node& node, Node& dir, Name name) noexcept;
  FsResult<void> keep_in_work(Node& node, int dir, Name name) noexcept;
  void cancel_removal(Node& node) noexcept;
  void finish_removal(Node& node, Node& dir, Name name) noexcept;
  [[nodiscard]] FsResult<bool> shows_empty(const Found& dir) noexcept;
  void remove_lower_node(LowerRef ref) noexcept;
  void bury(Node& node) noexcept;
  void free_quota(const Node& node) noexcept;

  // rename.cpp
  struct RenameSide;
  FsResult<void> rename_sides(RenameSide& from, RenameSide& to, unsigned flags) noexcept;
  FsResult<void> rename_one(RenameSide& from, RenameSide& to) noexcept;
  FsResult<void> exchange(RenameSide& from, RenameSide& to) noexcept;
  [[nodiscard]] FsResult<RenameSide> rename_side(NodeId dir, Name name) noexcept;
  FsResult<void> prepare_move(RenameSide& what, RenameSide& to) noexcept;
  FsResult<void> clear_target(RenameSide& to) noexcept;
  FsResult<void> move_on_disk(RenameSide& from, RenameSide& to) noexcept;

  // dir_stream.cpp
  class Lister;
  [[nodiscard]] FsResult<Entry> entry_in(const Found& dir, Name name, Access access) noexcept;
  void uncount_lookup(NodeId id) noexcept;
  [[nodiscard]] FsResult<std::uint64_t> parent_number(const Found& dir,
                                                      std::uint64_t self) noexcept;

  // data.cpp
  // All below expect tree_ not to be held.
  /// Where the bytes of a regular file are: an open file, or else the lower tree; or both: what is a hole in the file, up to
  /// `below`, is in the lower tree.
  struct Source {
    FdRef fd;
    LowerRef lower;
    std::uint64_t below = 0;
    bool below_stored = false;
    [[nodiscard]] bool in_parts() const { return fd != nullptr && lower != kNoLower; }
  };
  [[nodiscard]] FsResult<Source> source_of(NodeId id) noexcept;
  /// source_of(), after a large file of the lower tree was made one in parts.
  [[nodiscard]] FsResult<Source> writable_source(NodeId id) noexcept;
  /// All of the file in the upper directory, or the first `keep` bytes of it.
  [[nodiscard]] FsResult<FdRef> writable_fd(NodeId id, std::uint64_t keep) noexcept;
  FsResult<void> materialise(NodeId id, std::uint64_t keep) noexcept;
  FsResult<void> fill_holes(const Source& source, std::uint64_t length) noexcept;
  FsResult<void> write_data(NodeId id, std::uint64_t offset,
                            std::span<const std::byte> data) noexcept;
  FsResult<void> truncate_data(NodeId id, std::uint64_t size) noexcept;
  FsResult<void> write_metered(int fd, std::span<const std::byte> data,
                               std::uint64_t offset) noexcept;
  /// Makes a large file of the lower tree one in parts. False if it must be copied as a whole.
  [[nodiscard]] FsResult<bool> begin_parts(NodeId id) noexcept;
  FsResult<void> set_below(NodeId id, std::uint64_t below) noexcept;
  FsResult<void> read_below(const Source& source, std::uint64_t offset,
                            std::span<std::byte> data) noexcept;
  FsResult<std::size_t> read_parts(const Source& source, std::uint64_t offset,
                                   std::span<std::byte> data) noexcept;
  FsResult<void> write_part(const Source& source, std::uint64_t offset,
                            std::span<const std::byte> data) noexcept;
  /// Where upper files are to be whole: copies the data of a file up before it gets metadata there.
  FsResult<void> make_whole(NodeId id, const AttrChange* change = nullptr) noexcept;
  FsResult<void> make_child_whole(NodeId dir, Name name) noexcept;
  FsResult<void> restore_after_copy(const Node& node, int fd) noexcept;
  /// Runs `change`, which writes these bytes to `fd` or less, if the quota allows it.
  template <class Change>
  auto metered(int fd, std::uint64_t offset, std::uint64_t length, Change change) noexcept
      -> decltype(change());

  std::unique_ptr<Lower> lower_;
  std::unique_ptr<Upper> upper_;
  std::unique_ptr<Quota> quota_;  // null: none
  IdView ids_;
  Durability durability_;
  bool static_nlink_;
  bool acls_;
  bool xattrs_;
  std::uint64_t copy_by_parts_from_;
  FdCache fds_;  // by NodeId

  /// Lock order: copying_ before tree_ before whatever Lower and FdCache have inside.
  /// Held while the data of one file is copied up, so that it is copied once and not truncated
  /// meanwhile; by id. Never with tree_ held first.
  std::array<std::mutex, 16> copying_;
  /// The shape of the tree: which nodes there are, what their names are, what they are made of. Held
  /// for writing during every change of a name or of metadata, system calls included, but never while file
  /// data is read, written or copied.
  std::shared_mutex tree_;
  NodeTable nodes_;
  bool moved_known_ = true;    // every moved directory has a Node
  bool parts_marked_ = false;  // on disk: there may be files in parts
};

template <class Body>
auto Overlay::with_tree(Body body) noexcept -> decltype(body(Access::kShared)) {
  {
    const std::shared_lock lock(tree_);
    auto result = body(Access::kShared);
    if (result || result.error() != Errno(kNeedExclusive)) {
      return result;
    }
  }
  const std::unique_lock lock(tree_);
  return body(Access::kExclusive);
}

template <class Change>
auto Overlay::metered(int fd, std::uint64_t offset, std::uint64_t length, Change change) noexcept
    -> decltype(change()) {
  if (!quota_) {
    return change();
  }
  const struct stat before = SBX_TRY(sys::at::stat(fd));
  return quota_->metered(fd, before, growth_of(before, offset, length), change);
}

}  // namespace sbx::overlay
