#include "overlay/core/upper.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/xattr.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "overlay/core/copy_range.hpp"
#include "overlay/core/layer_marks.hpp"
#include "sys/at.hpp"
#include "sys/file.hpp"

namespace sbx::overlay {

namespace {

namespace at = sys::at;

// As the kernel's overlay with "userxattr" writes them: Documentation/filesystems/overlayfs.rst.
constexpr const char* kOpaque =
    "user.overlay.opaque";  // "y"; "x": may hold marked whiteouts (Linux 6.7)
constexpr const char* kWhiteout = "user.overlay.whiteout";  // on an empty regular file (Linux 6.7)
constexpr const char* kRedirect = "user.overlay.redirect";
constexpr const char* kMetacopy = "user.overlay.metacopy";
// Ours, decimal, with kMetacopy: bytes from the beginning that the lower file may still have. Absent: all.
constexpr const char* kBelow = "user.sbx.below";
// Ours, with kMetacopy, where holes are not told from data: a copy had begun, so what is here is not to be believed.
constexpr const char* kCopying = "user.sbx.copying";
// Ours, on a directory that is opaque: it may hold marked whiteouts, as "x" says of others.
constexpr const char* kWhiteouts = "user.sbx.whiteouts";
// Ours: the inode number, in decimal, that the file had in the lower tree.
constexpr const char* kOrigin = "user.sbx.origin";
// The same where others look: all overlays hide what begins like this, and no archive takes it.
constexpr const char* kOriginWhole = "user.overlay.sbx.origin";
// What others write.
constexpr const char* kOpaqueFuse = "user.fuseoverlayfs.opaque";
constexpr const char* kOpaqueRoot = "trusted.overlay.opaque";

// Ours, on the root: there are directories with a redirect.
constexpr const char* kMoved = "user.sbx.moved";
// Ours, on the root: there are files of which parts were written.
constexpr const char* kParts = "user.sbx.parts";
// Ours, on a directory while it changes in several steps: names, parted by '/', that are whiteouts if they are not there.
constexpr const char* kHidden = "user.sbx.hidden";

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// An error that says that there is nothing. Any other must not be taken for that: a file without marks is another file.
bool means_none(Errno error) {
  return error == Errno(ENODATA) || error == Errno(EOPNOTSUPP) || error == Errno(ENOENT);
}

/// The value of a short attribute; empty if there is none.
FsResult<std::string> read_mark(int fd, const char* name) noexcept {
  std::array<std::byte, 512> small;  // NOLINT: filled below
  auto size = at::get_xattr(fd, name, small);
  if (size) {
    return std::string(reinterpret_cast<const char*>(small.data()), *size);
  }
  std::string value;
  if (size.error() == Errno(ERANGE)) {
    value.resize(kXattrSizeMax);
    size = at::get_xattr(fd, name, std::as_writable_bytes(std::span(value)));
  }
  if (!size && !means_none(size.error())) {
    return fail(size.error());
  }
  value.resize(size ? *size : 0);
  return value;
}

/// The names of all attributes, each with its NUL; none where there are no attributes.
FsResult<std::string> list_marks(int fd) noexcept {
  std::string list(1024, '\0');  // most are shorter
  auto size = at::list_xattr(fd, list);
  if (!size && size.error() == Errno(ERANGE)) {
    list.resize(kXattrSizeMax);
    size = at::list_xattr(fd, list);
  }
  if (!size && !means_none(size.error())) {
    return fail(size.error());
  }
  list.resize(size ? *size : 0);
  return list;
}

/// A mark in decimal; 0 if it is none.
std::uint64_t number_of(const std::string& value) noexcept {
  std::uint64_t number = 0;
  (void)std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

void take_stat(const std::string& value, bool native, Stored& stored) noexcept {
  const auto over = OverrideStat::parse(value);
  stored.has_stat = true;
  // In the native form, of devices that could not be made only.
  if (over && (!native || over->type == S_IFCHR || over->type == S_IFBLK)) {
    stored.owner = over->owner;
    stored.mode = (over->type != 0 && !S_ISDIR(stored.mode) ? over->type : stored.mode & S_IFMT) |
                  over->permissions;
    stored.rdev = over->rdev;
  }
}

/// What one attribute says; `value` is called for those that have a meaning only.
template <class Value>
void take_mark(std::string_view name, Value value, bool native, Stored& stored) noexcept {
  if (name == OverrideStat::kXattr) {
    take_stat(value(), native, stored);
  } else if (name == kOpaque) {
    const std::string kind = value();
    stored.opaque = stored.opaque || kind == "y";
    stored.xattr_whiteouts = stored.xattr_whiteouts || kind == "x";
  } else if (name == kWhiteouts) {
    stored.xattr_whiteouts = S_ISDIR(stored.host.st_mode);
  } else if (name == kCopying) {
    stored.copying = true;
  } else if (name == kOpaqueFuse || name == kOpaqueRoot) {
    stored.opaque = stored.opaque || value() == "y";
  } else if (name == kRedirect) {
    stored.redirect = value();
  } else if (name == kMetacopy) {
    stored.metacopy = S_ISREG(stored.host.st_mode);
  } else if (name == kBelow) {
    stored.below = std::min(stored.below, number_of(value()));
  } else if (name == kMoved) {
    stored.has_moved = true;
  } else if (name == kParts) {
    stored.has_parts = true;
  } else if (name == kHidden) {
    stored.interrupted = S_ISDIR(stored.host.st_mode);
  } else if (name == kWhiteout) {
    stored.whiteout = S_ISREG(stored.host.st_mode) && stored.host.st_size == 0;
  } else if (name == kOrigin || name == kOriginWhole) {
    stored.origin = number_of(value());
  }
}

}  // namespace

FsResult<void> Upper::load_marks(int fd, Stored& stored) const noexcept {
  if (marks_.in_files()) {
    for (const Mark& mark : SBX_TRY(marks_.all(fd))) {
      take_mark(
          mark.name, [&] { return mark.value; }, native(), stored);
    }
    return {};
  }
  const std::string names = SBX_TRY(list_marks(fd));
  std::string_view left = names;
  Errno trouble;
  const auto value_of = [&](std::string_view name) {
    auto value = read_mark(fd, std::string(name).c_str());
    trouble = value ? trouble : value.error();
    return value ? std::move(*value) : std::string();
  };
  while (!left.empty()) {
    const std::string_view name = left.substr(0, left.find('\0'));
    left.remove_prefix(std::min(name.size() + 1, left.size()));
    take_mark(
        name, [&] { return value_of(name); }, native(), stored);
  }
  return trouble == Errno() ? FsResult<void>() : fail(trouble);
}

Stored Upper::plain(const struct stat& st) const noexcept {
  Stored stored;
  stored.host = st;
  if (native()) {
    stored.mode = st.st_mode;
    stored.owner = {st.st_uid, st.st_gid};
  } else {
    // Without a mark a file is the sandbox's root's, with the mode on disk but nothing dangerous in it.
    stored.mode = (st.st_mode & S_IFMT) | (st.st_mode & 0777);
  }
  stored.rdev = st.st_rdev;
  stored.below = static_cast<std::uint64_t>(st.st_size);
  stored.whiteout = S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
  stored.by_name = native() ? !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) : S_ISLNK(st.st_mode);
  return stored;
}

Result<std::unique_ptr<Upper>> Upper::open(sys::Fd root, sys::Fd work) {
  return Upper::open(std::move(root), std::move(work), Options());
}

Result<std::unique_ptr<Upper>> Upper::open(sys::Fd root, sys::Fd work, Options options) {
  const auto root_stat = SBX_TRY(sys::stat_fd(root.get(), "upper directory"));
  const auto work_stat = SBX_TRY(sys::stat_fd(work.get(), "work directory"));
  if (root_stat.st_dev != work_stat.st_dev) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "use work directory", "",
                            "not on the file system of the upper directory"));
  }
  std::unique_ptr<Upper> upper(
      new Upper(std::move(root), std::move(work), root_stat.st_dev, options));
  SBX_TRY(upper->probe());
  return upper;
}

FsResult<Stored> Upper::load_root() const noexcept {
  Stored stored = plain(SBX_TRY(at::stat(root_.get())));
  SBX_TRY(load_marks(root_.get(), stored));
  stored.opaque = stored.opaque || (whole() && at::stat(root_.get(), kOpaqueFile));
  return stored;
}

FsResult<Stored> Upper::load(int dir, Name name, bool marked) const noexcept {
  Stored stored = plain(SBX_TRY(at::stat(dir, name.c_str())));
  if (!S_ISREG(stored.host.st_mode) && !S_ISDIR(stored.host.st_mode)) {
    return stored;  // no user xattrs on these
  }
  const auto fd = at::open(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) {
    return stored.host.st_mode & 0400 ? FsResult<Stored>(fail(fd.error())) : stored;
  }
  SBX_TRY(load_marks(fd->get(), stored));
  stored.whiteout = stored.whiteout && marked;
  if (whole() && !stored.opaque && S_ISDIR(stored.host.st_mode)) {
    stored.opaque = at::stat(fd->get(), kOpaqueFile).has_value();
  }
  return stored;
}

FsResult<sys::Fd> Upper::make_file(int dir, const char* name, const OverrideStat& stat,
                                   std::string_view content) const noexcept {
  const mode_t mode = native() ? stat.permissions & 0777 : 0600;
  sys::Fd fd = SBX_TRY(at::open(dir, name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, mode));
  // The content first: who finds the mark finds it whole.
  auto filled = content.empty() ? FsResult<void>()
                                : at::pwrite_full(fd.get(), std::as_bytes(std::span(content)), 0);
  if (filled) {
    filled = write_first(fd.get(), stat);
  }
  if (!filled) {
    (void)at::unlink(dir, name);
    return fail(filled.error());
  }
  return fd;
}

FsResult<sys::Fd> Upper::make(int dir, const char* name, const OverrideStat& stat,
                              std::string_view content) const noexcept {
  if (native()) {
    return make_native(dir, name, stat, content);
  }
  if (stat.type == S_IFLNK && stat.owner == Owner{}) {
    // A symlink of the sandbox's root can be one on disk; the mark of another owner needs a file.
    SBX_TRY(at::symlink(std::string(content).c_str(), dir, name));
    return sys::Fd();
  }
  if (stat.type != S_IFDIR) {
    return make_file(dir, name, stat, content);
  }
  SBX_TRY(at::make_dir(dir, name, 0700));
  auto fd = at::open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const auto marked = fd ? write_first(fd->get(), stat) : FsResult<void>(fail(fd.error()));
  if (!marked) {
    (void)at::unlink(dir, name, AT_REMOVEDIR);
    return fail(marked.error());
  }
  return fd;
}

FsResult<void> Upper::write_stat(int fd, const OverrideStat& stat) const noexcept {
  if (native()) {
    SBX_TRY(settle(fd, stat));
    if (stat.type != S_IFCHR && stat.type != S_IFBLK) {
      return {};
    }
  }
  return marks_.set(fd, OverrideStat::kXattr, bytes(stat.format()));
}

FsResult<void> Upper::write_first(int fd, const OverrideStat& stat) const noexcept {
  return native() ? write_stat(fd, stat)
                  : marks_.set_first(fd, OverrideStat::kXattr, bytes(stat.format()));
}

FsResult<void> Upper::set_opaque(int dir) const noexcept {
  if (!can_.devices && !whole()) {
    SBX_TRY(marks_.set(dir, kWhiteouts, bytes("y")));  // the "x" goes, before its whiteouts do
  }
  const auto set = marks_.set(dir, kOpaque, bytes("y"));
  if (set || set.error() != Errno(EOPNOTSUPP)) {
    return set;
  }
  const auto file = at::open(dir, kOpaqueFile, O_CREAT | O_WRONLY | O_NOFOLLOW, 0600);
  return file ? FsResult<void>() : fail(file.error());
}

FsResult<void> Upper::convert_whiteout(int dir, const std::string& name, bool hides) noexcept {
  if (hides) {
    const auto made = make_whiteout(dir, name);
    if (!made && made.error() != Errno(EEXIST)) {
      return made;
    }
  }
  return at::unlink(dir, std::string(kWhiteoutPrefix).append(name).c_str());
}

FsResult<void> Upper::set_redirect(int fd, const std::string& path) const noexcept {
  return marks_.set(fd, kRedirect, bytes(path));
}

FsResult<void> Upper::set_has_moved() const noexcept {
  return marks_.set(root(), kMoved, bytes("y"));
}

FsResult<void> Upper::set_has_parts() const noexcept {
  return marks_.set(root(), kParts, bytes("y"));
}

FsResult<void> Upper::set_metacopy(int fd) const noexcept { return marks_.set(fd, kMetacopy, {}); }

FsResult<void> Upper::set_copying(int fd) const noexcept { return marks_.set(fd, kCopying, {}); }

FsResult<void> Upper::clear_metacopy(int fd) const noexcept {
  for (const char* mark : {kMetacopy, kBelow, kCopying}) {
    const auto cleared = marks_.remove(fd, mark);
    if (!cleared && cleared.error() != Errno(ENODATA)) {
      return cleared;
    }
  }
  return {};
}

FsResult<void> Upper::set_below(int fd, std::uint64_t count) const noexcept {
  return marks_.set(fd, kBelow, bytes(fmt::format_int(count).str()));
}

FsResult<void> Upper::set_origin(int fd, std::uint64_t ino) const noexcept {
  const auto set =
      marks_.set(fd, whole() ? kOriginWhole : kOrigin, bytes(fmt::format_int(ino).str()));
  // Without it the number changes once the kernel has forgotten the file: a native directory works without attributes.
  return native() ? FsResult<void>() : set;
}

std::string Upper::work_name(const char* prefix) noexcept {
  return fmt::format("{}-{:x}", prefix, next_name_.fetch_add(1, std::memory_order_relaxed));
}

std::string Upper::linking_name(std::uint64_t number) noexcept {
  return fmt::format("{}{}", kLinkingPrefix, number);
}

FsResult<void> Upper::new_whiteout(int dir, const char* name) noexcept {
  if (can_.devices) {
    return at::make_node(dir, name, S_IFCHR | 0600, makedev(0, 0));
  }
  const sys::Fd file = SBX_TRY(at::open(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600));
  return marks_.set_first(file.get(), kWhiteout, bytes("y"));
}

FsResult<std::string> Upper::whiteout_in_work() noexcept {
  std::string name = work_name("w");
  if (can_.links && at::link(work_.get(), kSharedWhiteout, work_.get(), name.c_str())) {
    return name;
  }
  SBX_TRY(new_whiteout(work_.get(), name.c_str()));
  return name;
}

FsResult<void> Upper::mark_for_whiteouts(int dir) const noexcept {
  if (can_.devices) {
    return {};
  }
  const auto set = marks_.set(dir, kOpaque, bytes("x"), XATTR_CREATE);
  return !set && set.error() == Errno(EEXIST) ? FsResult<void>() : set;
}

FsResult<void> Upper::make_whiteout(int dir, Name name) noexcept {
  SBX_TRY(mark_for_whiteouts(dir));
  if (can_.links) {
    const auto linked = at::link(work_.get(), kSharedWhiteout, dir, name.c_str());
    if (linked || linked.error() == Errno(EEXIST)) {
      return linked;
    }
  }
  // EMLINK, no shared one, or a file system without hard links. In the work directory first: the xattr
  // form takes two steps.
  const std::string fresh = SBX_TRY(whiteout_in_work());
  return place(fresh.c_str(), dir, name);
}

FsResult<void> Upper::place(const char* work_name, int dir, Name name) const noexcept {
  // Without the flag it is the same: nobody else makes names here, and we know that there is none.
  return at::rename(work_.get(), work_name, dir, name.c_str(),
                    can_.no_replace ? RENAME_NOREPLACE : 0);
}

FsResult<void> Upper::replace_by_whiteout(int dir, Name name) noexcept {
  SBX_TRY(mark_for_whiteouts(dir));
  const std::string fresh = SBX_TRY(whiteout_in_work());
  auto renamed = at::rename(work_.get(), fresh.c_str(), dir, name.c_str());
  if (!renamed) {
    (void)at::unlink(work_.get(), fresh.c_str());  // else the next start removes it
  }
  return renamed;
}

FsResult<void> Upper::replace_dir_by_whiteout(int dir, Name name) noexcept {
  SBX_TRY(mark_for_whiteouts(dir));
  const std::string fresh = SBX_TRY(whiteout_in_work());
  if (!can_.exchange) {
    const std::string away = work_name("d");
    SBX_TRY(hide(dir, name.c_str()));
    auto replaced = at::rename(dir, name.c_str(), work_.get(), away.c_str());
    if (replaced) {
      replaced = place(fresh.c_str(), dir, name);
      if (!replaced) {
        (void)at::rename(work_.get(), away.c_str(), dir, name.c_str());  // as it was
      }
    }
    SBX_TRY(unhide(dir));
    return replaced ? remove_dir(work_.get(), away) : replaced;
  }
  const auto swapped = at::rename(work_.get(), fresh.c_str(), dir, name.c_str(), RENAME_EXCHANGE);
  if (!swapped) {
    (void)at::unlink(work_.get(), fresh.c_str());
    return swapped;
  }
  return remove_dir(work_.get(), fresh);
}

FsResult<void> Upper::remove_dir(int dir, Name name) noexcept {
  const auto removed = at::unlink(dir, name.c_str(), AT_REMOVEDIR);
  // POSIX allows both; of NFS also what is still in use there.
  if (removed || (removed.error() != Errno(ENOTEMPTY) && removed.error() != Errno(EEXIST))) {
    return removed;
  }
  // Out of sight first: with its whiteouts gone one by one the lower names would show again.
  const std::string away = work_name("d");
  SBX_TRY(at::rename(dir, name.c_str(), work_.get(), away.c_str()));
  const auto fd = at::open(work_.get(), away.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  // It is gone from where it was, so what fails here is left to the next start.
  if (fd && clear_dir(fd->get())) {
    (void)at::unlink(work_.get(), away.c_str(), AT_REMOVEDIR);
  }
  return {};
}

FsResult<void> Upper::clear_dir(int dir) noexcept {
  // Of its own, for the read position; and before the first unlink all names are read, since what a
  // directory read returns during changes is not defined.
  const sys::Fd fd = SBX_TRY(at::open(dir, ".", O_RDONLY | O_DIRECTORY));
  std::vector<std::string> names;
  alignas(8) std::byte buffer[16 * 1024];
  for (;;) {
    const std::size_t got = SBX_TRY(at::read_dirents(fd.get(), buffer));
    if (got == 0) {
      break;
    }
    at::DirentReader reader(std::span<const std::byte>(buffer, got));
    at::DirentReader::Dirent entry{};
    while (reader.next(entry)) {
      if (std::strcmp(entry.name, ".") != 0 && std::strcmp(entry.name, "..") != 0) {
        names.emplace_back(entry.name);
      }
    }
  }
  for (const std::string& name : names) {
    SBX_TRY(remove_whiteout(dir, name));
  }
  return {};
}

std::uint64_t Upper::last_whiteout(int dir, Name name) const noexcept {
  if (can_.devices || !marks_.in_files()) {
    return 0;
  }
  const auto st = at::stat(dir, name.c_str());
  return st && S_ISREG(st->st_mode) && st->st_size == 0 && st->st_nlink == 1 ? st->st_ino : 0;
}

FsResult<void> Upper::remove_whiteout(int dir, Name name) noexcept {
  const std::uint64_t last = last_whiteout(dir, name);
  SBX_TRY(at::unlink(dir, name.c_str()));
  marks_.forget(last);
  return {};
}

FsResult<void> Upper::hide(int dir, const std::string& names) const noexcept {
  return whole() ? FsResult<void>() : marks_.set(dir, kHidden, bytes(names));
}

FsResult<void> Upper::unhide(int dir) const noexcept {
  const auto removed = whole() ? FsResult<void>() : marks_.remove(dir, kHidden);
  return removed || removed.error() == Errno(ENODATA) ? FsResult<void>() : removed;
}

FsResult<std::vector<std::string>> Upper::hidden_names(int dir) const noexcept {
  std::array<std::byte, 2 * (kNameMax + 1)> value;  // NOLINT: filled below
  // Not read means not known: without the names the mark must stay, as what they hid would show again.
  const std::size_t size = SBX_TRY(marks_.get(dir, kHidden, value));
  std::string_view left(reinterpret_cast<const char*>(value.data()), size);
  std::vector<std::string> names;
  while (!left.empty()) {
    const std::string_view name = left.substr(0, left.find('/'));
    left.remove_prefix(std::min(name.size() + 1, left.size()));
    // Somebody else may have written it.
    const bool sound = !name.empty() && name.size() <= kNameMax && name != "." && name != ".." &&
                       name.find('\0') == std::string_view::npos;
    if (sound) {
      names.emplace_back(name);
    }
  }
  return names;
}

FsResult<void> Upper::place_on_whiteout(const char* work_name, int dir, Name name) noexcept {
  if (can_.exchange) {
    SBX_TRY(at::rename(work_.get(), work_name, dir, name.c_str(), RENAME_EXCHANGE));
    (void)remove_whiteout(work_.get(), work_name);  // else the next start does it
    return {};
  }
  SBX_TRY(hide(dir, name.c_str()));
  auto placed = remove_whiteout(dir, name);
  if (placed) {
    placed = at::rename(work_.get(), work_name, dir, name.c_str());
    if (!placed) {
      (void)make_whiteout(dir, name);  // as it was
    }
  }
  SBX_TRY(unhide(dir));
  return placed;
}

FsResult<void> Upper::move_onto_whiteout(int from_dir, Name from, int to_dir, Name to,
                                         bool leave) noexcept {
  if (leave) {
    SBX_TRY(mark_for_whiteouts(from_dir));
  }
  if (can_.exchange) {
    SBX_TRY(at::rename(from_dir, from.c_str(), to_dir, to.c_str(), RENAME_EXCHANGE));
    return leave ? FsResult<void>() : remove_whiteout(from_dir, from);
  }
  const std::string fresh = leave ? SBX_TRY(whiteout_in_work()) : std::string();
  const bool one_dir = SBX_TRY(at::stat(from_dir)).st_ino == SBX_TRY(at::stat(to_dir)).st_ino;
  std::string names(to.view());
  if (leave && one_dir) {
    names.append("/").append(from.view());
  }
  SBX_TRY(hide(to_dir, names));
  if (leave && !one_dir) {
    SBX_TRY(hide(from_dir, from.c_str()));
  }
  auto moved = remove_whiteout(to_dir, to);
  if (moved) {
    moved = at::rename(from_dir, from.c_str(), to_dir, to.c_str());
    if (!moved) {
      (void)make_whiteout(to_dir, to);  // as it was
    } else if (leave) {
      moved = place(fresh.c_str(), from_dir, from);
    }
  }
  SBX_TRY(unhide(from_dir));
  SBX_TRY(unhide(to_dir));
  return moved;
}

FsResult<void> Upper::rename_leaving_whiteout(int from_dir, Name from, int to_dir,
                                              Name to) noexcept {
  if (can_.devices && can_.leave_whiteout) {
    const auto renamed = at::rename(from_dir, from.c_str(), to_dir, to.c_str(), RENAME_WHITEOUT);
    if (renamed || (renamed.error() != Errno(EINVAL) && renamed.error() != Errno(EPERM))) {
      return renamed;
    }
  }
  SBX_TRY(mark_for_whiteouts(from_dir));
  const std::string fresh = SBX_TRY(whiteout_in_work());
  SBX_TRY(hide(from_dir, from.c_str()));
  auto renamed = at::rename(from_dir, from.c_str(), to_dir, to.c_str());
  if (renamed) {
    renamed = place(fresh.c_str(), from_dir, from);
  }
  SBX_TRY(unhide(from_dir));
  return renamed;
}

}  // namespace sbx::overlay
