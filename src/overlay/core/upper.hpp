#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "overlay/core/marks.hpp"
#include "overlay/core/override_stat.hpp"
#include "overlay/core/types.hpp"
#include "overlay/core/xattr_policy.hpp"
#include "sys/fd.hpp"

namespace sbx::overlay {

/// A file of the upper directory as it lies on disk.
struct Stored {
  struct stat host {};
  std::uint32_t mode = 0;  // as the sandbox sees it, type included
  Owner owner;
  std::uint64_t rdev = 0;
  bool whiteout = false;
  bool opaque = false;           // directory: nothing of the lower tree shows through
  bool xattr_whiteouts = false;  // directory: may hold whiteouts that are empty files with a mark
  bool has_stat = false;         // has the override_stat mark
  bool has_moved = false;        // the root: some directory below has a redirect
  bool has_parts = false;        // the root: of some file below, parts were written
  bool metacopy = false;         // regular file: data, or parts of it, are still in the lower tree
  bool copying = false;          // ... all of it, whatever is here
  std::uint64_t below = 0;       // and how many bytes from its beginning may be
  bool by_name = false;  // on disk too neither file nor directory, not a file that stands for one
  std::uint64_t origin = 0;  // inode number of the lower file this was copied from; 0: none
  std::string
      redirect;  // path in the lower tree, from its root, of what this was; empty: same name
  bool interrupted = false;  // directory: see Upper::hidden_names()
};

/// How the upper directory keeps what is seen from inside. See README.md.
enum class UpperForm {
  /// All files belong to the invoking user and have mode 0600 or 0700; owners, modes and types are marks. Data and
  /// moved directories stay in the lower tree.
  kOwn,
  /// The same marks, but every file is whole and no lower directory moves, so that other overlays can read it.
  kOverride,
  /// Owners, modes and types as themselves, every file whole: a layer as container engines have them.
  kNative
};

/// What the file system of an upper directory can do.
struct Abilities {
  bool xattrs = true;          // user.*; else attributes are in side files
  bool devices = true;         // mknod(2) of 0:0; else whiteouts are empty files with a mark
  bool links = true;           // link(2)
  bool exchange = true;        // RENAME_EXCHANGE
  bool no_replace = true;      // RENAME_NOREPLACE
  bool leave_whiteout = true;  // RENAME_WHITEOUT
  bool removes_in_use = true;  // unlink(2) of an open file leaves nothing behind in its directory
};

/// The upper directory's on-disk form, and the work directory beside it. It knows names, marks and
/// whiteouts; what they mean together with the lower tree is Overlay's business.
class Upper {
 public:
  struct Options {
    UpperForm form = UpperForm::kOwn;
    /// In the native form: an owner that cannot be given is no failure.
    bool ignore_owners = false;
    /// What is written survives a power cut once it was asked for.
    sys::Durability durability = sys::Durability::kCached;
    /// What may be made use of, if it is there: for tests.
    Abilities allowed{};
  };
  /// Both on one file system. Cleans `work` of what an earlier server left, but for half_linked(), and finds out what the file
  /// system can do. kUnsupported if that is not enough: see README.md.
  static Result<std::unique_ptr<Upper>> open(sys::Fd root, sys::Fd work, Options options);
  static Result<std::unique_ptr<Upper>> open(sys::Fd root, sys::Fd work);

  [[nodiscard]] int root() const { return root_.get(); }
  [[nodiscard]] int work() const { return work_.get(); }
  [[nodiscard]] std::uint64_t device() const { return device_; }

  /// Whether a file of this name is one that was removed while it was open: see Abilities::removes_in_use.
  [[nodiscard]] bool left_behind(std::string_view name) const noexcept;

  /// Everything about the entry `name` of the directory `dir`; `marked` if whiteouts in the xattr form are
  /// to be expected there.
  FsResult<Stored> load(int dir, Name name, bool marked) const noexcept;
  FsResult<Stored> load_root() const noexcept;

  [[nodiscard]] bool native() const { return options_.form == UpperForm::kNative; }
  /// Nothing stays in the lower tree: no metadata-only copies for longer than a request, no redirects.
  [[nodiscard]] bool whole() const { return options_.form != UpperForm::kOwn; }
  [[nodiscard]] XattrForm xattr_form() const {
    return native() ? XattrForm::kNative : XattrForm::kOwn;
  }
  /// The attributes of the files in the upper and the work directory.
  [[nodiscard]] const Marks& marks() const { return marks_; }
  [[nodiscard]] const Abilities& can() const { return can_; }
  /// New files are to be made in the work directory: they have no name before they have their marks.
  [[nodiscard]] bool makes_aside() const { return marks_.in_files(); }

  /// Makes an entry of any type, with `content` as the bytes of a file or the target of a symlink. The descriptor is
  /// invalid for what is neither file nor directory on disk. Nothing is left of what fails.
  FsResult<sys::Fd> make(int dir, const char* name, const OverrideStat& stat,
                         std::string_view content) const noexcept;
  /// To be called when a directory of make() lies where it belongs: until then its owner may write, since who is not
  /// root cannot rename a directory that he may not write to.
  FsResult<void> finish_dir(int fd, const OverrideStat& stat) const noexcept;
  /// Makes a file, whatever it stands for.
  FsResult<sys::Fd> make_file(int dir, const char* name, const OverrideStat& stat,
                              std::string_view content) const noexcept;
  FsResult<void> write_stat(int fd, const OverrideStat& stat) const noexcept;
  /// In the native form, of what make() gave no descriptor of.
  FsResult<void> write_stat_at(int dir, const char* name, const OverrideStat& stat) const noexcept;
  /// rename(2) of what was made in the work directory to where nothing is.
  FsResult<void> place(const char* work_name, int dir, Name name) const noexcept;
  /// The same of a directory that takes the place of a whiteout.
  FsResult<void> place_on_whiteout(const char* work_name, int dir, Name name) noexcept;
  /// rename(2) of a directory onto a whiteout; one stays at `from` if `leave`.
  FsResult<void> move_onto_whiteout(int from_dir, Name from, int to_dir, Name to,
                                    bool leave) noexcept;
  /// The number whose marks go if the whiteout goes: see Marks::forget(). 0 if there are none.
  [[nodiscard]] std::uint64_t last_whiteout(int dir, Name name) const noexcept;
  /// The names in a directory that Stored::interrupted told of: what is not there of them is a whiteout.
  [[nodiscard]] FsResult<std::vector<std::string>> hidden_names(int dir) const noexcept;
  FsResult<void> end_interruption(int dir) const noexcept { return unhide(dir); }
  FsResult<void> set_opaque(int dir) const noexcept;
  /// Replaces the whiteout ".wh.NAME" by one that we know how to move; if `hides`, else just removes it.
  FsResult<void> convert_whiteout(int dir, const std::string& name, bool hides) noexcept;
  FsResult<void> set_redirect(int fd, const std::string& path) const noexcept;
  FsResult<void> set_has_moved() const noexcept;
  FsResult<void> set_has_parts() const noexcept;
  FsResult<void> set_metacopy(int fd) const noexcept;
  FsResult<void> clear_metacopy(int fd) const noexcept;
  /// The data of a metacopy is on its way: until it is none any more, all of it is in the lower tree.
  FsResult<void> set_copying(int fd) const noexcept;
  /// How much of a metacopy may still be in the lower tree, bytes from the beginning.
  FsResult<void> set_below(int fd, std::uint64_t count) const noexcept;
  FsResult<void> set_origin(int fd, std::uint64_t ino) const noexcept;

  /// The unit in which this file system tells data from holes, if it does so for certain: what was written is data, also zeros, and
  /// nothing else is. 0 if it does not, or is not known for it. Tried at the first call.
  [[nodiscard]] std::uint64_t hole_unit() noexcept;
  /// Whether holes can be told from data, on file systems too that are not known for it: enough to read what was written elsewhere.
  [[nodiscard]] bool tells_holes() noexcept;

  /// A name in the work directory that nobody uses.
  [[nodiscard]] std::string work_name(const char* prefix) noexcept;
  /// The one of a file that is to get several names at once, by its number in the lower tree. It keeps this one until it has all
  /// others, so that half_linked() tells the next server of it.
  [[nodiscard]] static std::string linking_name(std::uint64_t number) noexcept;
  /// Files under such names, in the work directory, that have other names too: an earlier server was killed between them.
  [[nodiscard]] const std::vector<std::string>& half_linked() const { return half_linked_; }

  /// Puts a whiteout where there is nothing.
  FsResult<void> make_whiteout(int dir, Name name) noexcept;
  /// Puts a whiteout in the place of a file, at once.
  FsResult<void> replace_by_whiteout(int dir, Name name) noexcept;
  /// Puts a whiteout in the place of a directory that holds only whiteouts, at once; removes the directory.
  FsResult<void> replace_dir_by_whiteout(int dir, Name name) noexcept;
  /// Removes a directory that holds only whiteouts, at once.
  FsResult<void> remove_dir(int dir, Name name) noexcept;
  /// Removes whatever non-directories `dir` holds.
  FsResult<void> clear_dir(int dir) noexcept;
  /// Says on `dir`, if need be, that it may hold whiteouts in the xattr form.
  FsResult<void> mark_for_whiteouts(int dir) const noexcept;
  /// rename(2) that leaves a whiteout behind.
  FsResult<void> rename_leaving_whiteout(int from_dir, Name from, int to_dir, Name to) noexcept;

 private:
  /// In the work directory; whiteouts are links to it.
  static constexpr const char* kSharedWhiteout = "whiteout";
  static constexpr std::string_view kLinkingPrefix = "linking-";

  Upper(sys::Fd root, sys::Fd work, std::uint64_t device, Options options)
      : root_(std::move(root)), work_(std::move(work)), device_(device), options_(options) {}
  // upper_trial.cpp
  Result<void> probe();
  Result<void> empty_work();
  Result<void> find_side_files();
  Result<void> make_side_files();
  Result<void> try_xattrs();
  Result<void> try_others();
  [[nodiscard]] FsResult<const char*> find_lack(int dir) const noexcept;
  FsResult<void> find_abilities(int dir) noexcept;
  static FsResult<bool> leaves_removed(int dir) noexcept;

  FsResult<void> hide(int dir, const std::string& names) const noexcept;
  FsResult<void> unhide(int dir) const noexcept;
  FsResult<void> remove_whiteout(int dir, Name name) noexcept;
  /// A whiteout under a fresh name in the work directory.
  FsResult<std::string> whiteout_in_work() noexcept;
  FsResult<void> new_whiteout(int dir, const char* name) noexcept;
  [[nodiscard]] Stored plain(const struct stat& st) const noexcept;
  FsResult<void> load_marks(int fd, Stored& stored) const noexcept;
  FsResult<void> write_first(int fd, const OverrideStat& stat) const noexcept;
  // upper_native.cpp
  FsResult<sys::Fd> make_native(int dir, const char* name, const OverrideStat& stat,
                                std::string_view content) const noexcept;
  FsResult<void> settle(int fd, const OverrideStat& stat) const noexcept;
  FsResult<void> settle_at(int dir, const char* name, const OverrideStat& stat) const noexcept;

  sys::Fd root_;
  sys::Fd work_;
  std::uint64_t device_;
  Options options_;
  [[nodiscard]] FsResult<std::uint64_t> try_holes() noexcept;

  Marks marks_;
  Abilities can_;
  std::vector<std::string> half_linked_;
  static constexpr std::uint64_t kNotTried = 1;
  std::atomic<std::uint64_t> told_unit_ = kNotTried;  // 0: holes look like data
  std::atomic<std::uint64_t> hole_unit_ = kNotTried;
  std::atomic<std::uint64_t> next_name_ = 0;
};

}  // namespace sbx::overlay
