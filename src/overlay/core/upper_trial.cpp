// What the file system below an upper directory can do, found out by trying it in the work directory. Ordinary local file
// systems are known, and cost no trial but that of user xattrs and of whiteouts.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "overlay/core/upper.hpp"
#include "sys/at.hpp"
#include "sys/file.hpp"

namespace sbx::overlay {

namespace {

namespace at = sys::at;

// In the work directory: the side files, and in there a symlink that says whose they are. It is made last.
constexpr const char* kStore = "marks";
constexpr const char* kForm = "form";
constexpr const char* kTrialDir = "trial";
constexpr const char* kVersion = "user.sbx.version";  // on the root
const std::span<const std::byte> kVersionText = std::as_bytes(std::span("1", 1));

constexpr std::uint64_t kMaxHoleUnit = 64U << 10U;
// Not in every <linux/magic.h>.
constexpr std::uint64_t kXfsMagic = 0x58465342;
constexpr std::uint64_t kExfatMagic = 0x2011BAB0;

std::uint64_t type_of(const sys::Fd& fd) noexcept {
  struct statfs system {};
  return ::fstatfs(fd.get(), &system) == 0 ? static_cast<std::uint64_t>(system.f_type) : 0;
}

bool well_known(std::uint64_t type) noexcept {
  constexpr std::array<std::uint64_t, 4> kKnown{EXT4_SUPER_MAGIC, kXfsMagic, BTRFS_SUPER_MAGIC,
                                                TMPFS_MAGIC};
  return std::find(kKnown.begin(), kKnown.end(), type) != kKnown.end();
}

FsResult<void> make_empty(int dir, const char* name) noexcept {
  const auto file = at::open(dir, name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0600);
  return file ? FsResult<void>() : fail(file.error());
}

bool is_dir(int dir, const char* name) noexcept {
  const auto st = at::stat(dir, name);
  return st && S_ISDIR(st->st_mode);
}

Error unusable(std::string reason) {
  return Error::make(ErrorCode::kUnsupported, "use as upper directory", "", std::move(reason))
      .with_hint("put containers on a local disk (SBX_ROOT)");
}

/// An error that says that there are no user xattrs here, not that something is wrong with the directory.
bool means_no_xattrs(Errno error) {
  return error == Errno(EOPNOTSUPP) || error == Errno(ENOSYS) || error == Errno(EPERM);
}

/// Whose side files these are: numbers that a copy elsewhere does not have.
Result<std::string> form_of(int root, int work) {
  const struct stat upper = SBX_TRY(sys::stat_fd(root, "upper directory"));
  const struct stat beside = SBX_TRY(sys::stat_fd(work, "work directory"));
  return fmt::format("1:{}:{}", upper.st_ino, beside.st_ino);
}

}  // namespace

Result<void> Upper::probe() {
  can_ = options_.allowed;
  if (!whole()) {
    SBX_TRY(find_side_files());
  }
  SBX_TRY(empty_work());
  if (!whole()) {
    if (can_.xattrs) {
      SBX_TRY(try_xattrs());
    }
    if (!can_.xattrs || !well_known(type_of(work_))) {
      SBX_TRY(try_others());
    }
    if (!can_.xattrs && !marks_.in_files()) {
      SBX_TRY(make_side_files());
    }
  }
  can_.devices =
      can_.devices && at::make_node(work_.get(), kSharedWhiteout, S_IFCHR | 0600, makedev(0, 0));
  return {};
}

Result<void> Upper::empty_work() {
  for (const std::string& name : SBX_TRY(sys::list_dir(work_.get(), "."))) {
    if (name == kStore) {
      continue;
    }
    const auto st = at::stat(work_.get(), name.c_str());
    if (!st && st.error() == Errno(ENOENT)) {
      continue;  // what NFS kept of a file that was in use
    }
    if (!st) {
      // It may be what tells that a file lacks names.
      return fail(
          Error::system("look at", fmt::format("work directory's '{}'", name), st.error().value()));
    }
    if (!S_ISDIR(st->st_mode) && st->st_nlink > 1 && name.starts_with(kLinkingPrefix)) {
      half_linked_.push_back(name);
      continue;
    }
    auto removed = sys::remove_tree_at(work_.get(), name);
    if (!removed && removed.error().sys_errno == EBUSY) {
      // NFS keeps what somebody has open, and a server that was killed may be closing it just now. It goes with the next
      // start; until then nobody may take its name.
      next_name_ = static_cast<std::uint64_t>(::time(nullptr)) << 24U;
      continue;
    }
    if (!removed) {
      return removed;
    }
    if (S_ISDIR(st->st_mode) || st->st_nlink == 1) {
      marks_.forget(st->st_ino);
    }
  }
  return {};
}

Result<void> Upper::find_side_files() {
  auto store = at::open(work_.get(), kStore, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  std::array<char, 64> text{};
  const auto size =
      store ? at::read_link(store->get(), kForm, text) : FsResult<std::size_t>(fail(store.error()));
  if (!size && size.error() == Errno(ENOENT)) {
    return {};  // none, or whoever made them was killed before anything was in the upper directory
  }
  if (!size) {
    // Taken for none, they would be lost: owners, and what is only in the lower tree.
    return fail(Error::system("read the side files of", "upper directory", size.error().value()));
  }
  can_.xattrs = false;
  if (std::string_view(text.data(), *size) != SBX_TRY(form_of(root_.get(), work_.get()))) {
    return fail(
        unusable("owners and modes of its files are kept by inode number, and either it was "
                 "copied, or its file system changed the numbers"));
  }
  marks_ = Marks(std::move(*store), options_.durability);
  return {};
}

Result<void> Upper::try_xattrs() {
  const auto marked = at::set_xattr(root_.get(), kVersion, kVersionText);
  can_.xattrs = marked.has_value();
  if (!marked && !means_no_xattrs(marked.error())) {
    return fail(Error::system("use", "upper directory", marked.error().value()));
  }
  return {};
}

Result<void> Upper::make_side_files() {
  // What has files already had their attributes elsewhere: without, owners are lost and contents too.
  if (!SBX_TRY(sys::list_dir(root_.get(), ".")).empty()) {
    return fail(
        unusable("it has files whose extended attributes (user.*) are lost: its file system has "
                 "none"));
  }
  const std::string form = SBX_TRY(form_of(root_.get(), work_.get()));
  const auto made = [&]() -> FsResult<void> {
    const auto dir = at::make_dir(work_.get(), kStore, 0700);
    if (!dir && dir.error() != Errno(EEXIST)) {
      return dir;
    }
    sys::Fd store = SBX_TRY(at::open(work_.get(), kStore, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const int fd = store.get();
    marks_ = Marks(std::move(store), options_.durability);
    SBX_TRY(marks_.set_first(root_.get(), kVersion, kVersionText));
    return at::symlink(form.c_str(), fd, kForm);
  }();
  return made ? Result<void>()
              : fail(Error::system("make side files for", "upper directory", made.error().value()));
}

Result<void> Upper::try_others() {
  std::string place = kTrialDir;
  const auto found = [&]() -> FsResult<const char*> {
    auto made = at::make_dir(work_.get(), place.c_str(), 0700);
    if (!made && made.error() == Errno(EEXIST)) {
      place = work_name(kTrialDir);  // one that is in use
      made = at::make_dir(work_.get(), place.c_str(), 0700);
    }
    SBX_TRY(FsResult<void>(made));
    const sys::Fd dir =
        SBX_TRY(at::open(work_.get(), place.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const char* lack = can_.xattrs ? nullptr : SBX_TRY(find_lack(dir.get()));
    SBX_TRY(find_abilities(dir.get()));
    return lack;
  }();
  (void)sys::remove_tree_at(work_.get(), place);  // else the next start does it
  if (!found) {
    return fail(Error::system("try the file system of", "upper directory", found.error().value()));
  }
  if (*found != nullptr) {
    return fail(unusable(
        fmt::format("its file system has neither extended attributes (user.*) nor {}", *found)));
  }
  return {};
}

/// What side files cannot do without; null if all is there.
FsResult<const char*> Upper::find_lack(int dir) const noexcept {
  const std::uint64_t type = type_of(work_);
  if (!at::symlink("text", dir, "symlink")) {
    return "symbolic links";
  }
  SBX_TRY(make_empty(dir, "file"));
  SBX_TRY(at::make_dir(dir, "dir", 0700));
  const std::uint64_t ino = SBX_TRY(at::stat(dir, "file")).st_ino;
  SBX_TRY(at::rename(dir, "file", dir, "dir/moved"));
  const bool lasts = SBX_TRY(at::stat(dir, "dir/moved")).st_ino == ino;
  // Of these the numbers change whenever they leave the kernel's memory.
  const bool made_up = type == MSDOS_SUPER_MAGIC || type == kExfatMagic;
  return lasts && !made_up ? nullptr : "inode numbers that last";
}

FsResult<void> Upper::find_abilities(int dir) noexcept {
  for (const char* name : {"a", "b", "c"}) {
    SBX_TRY(make_empty(dir, name));
  }
  SBX_TRY(at::make_dir(dir, "d", 0700));
  can_.links = can_.links && at::link(dir, "a", dir, "link") &&
               SBX_TRY(at::stat(dir, "link")).st_ino == SBX_TRY(at::stat(dir, "a")).st_ino;
  can_.no_replace = can_.no_replace && at::rename(dir, "b", dir, "e", RENAME_NOREPLACE);
  can_.exchange = can_.exchange && at::rename(dir, "c", dir, "d", RENAME_EXCHANGE) &&
                  is_dir(dir, "c") && !is_dir(dir, "d");
  can_.removes_in_use = can_.removes_in_use && !SBX_TRY(leaves_removed(dir));
  return {};
}

/// NFS and some FUSE file systems rename what is open, to .nfs* or .fuse_hidden*, instead of removing it.
FsResult<bool> Upper::leaves_removed(int dir) noexcept {
  SBX_TRY(at::make_dir(dir, "in-use", 0700));
  const sys::Fd sub = SBX_TRY(at::open(dir, "in-use", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const sys::Fd file =
      SBX_TRY(at::open(sub.get(), "f", O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0600));
  SBX_TRY(at::unlink(sub.get(), "f"));
  alignas(8) std::array<std::byte, 1024> buffer;  // NOLINT: filled below
  const std::size_t got = SBX_TRY(at::read_dirents(sub.get(), buffer));
  at::DirentReader reader(std::span<const std::byte>(buffer).first(got));
  at::DirentReader::Dirent entry{};
  bool left = false;
  while (reader.next(entry)) {
    left = left || (std::strcmp(entry.name, ".") != 0 && std::strcmp(entry.name, "..") != 0);
  }
  return left;
}

bool Upper::left_behind(std::string_view name) const noexcept {
  // .nfs and 24 digits: fs/nfs/unlink.c. .fuse_hidden and 16 of them: lib/fuse.c of libfuse.
  const auto is = [&](std::string_view prefix, std::size_t digits) {
    return name.starts_with(prefix) && name.size() == prefix.size() + digits &&
           name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
  };
  return !can_.removes_in_use && (is(".nfs", 24) || is(".fuse_hidden", 16));
}

std::uint64_t Upper::hole_unit() noexcept {
  if (hole_unit_ == kNotTried) {
    // What others do with zeros, or when they are short of memory, no trial tells.
    hole_unit_ = well_known(type_of(work_)) && tells_holes() ? told_unit_.load() : 0;
  }
  return hole_unit_;
}

bool Upper::tells_holes() noexcept {
  if (told_unit_ == kNotTried) {
    told_unit_ = try_holes().value_or(0);
  }
  return told_unit_ != 0;
}

/// The unit. 0 from those that store zeros as holes (ZFS), or say that all is data (NFS).
FsResult<std::uint64_t> Upper::try_holes() noexcept {
  constexpr std::uint64_t kUnits = 256;
  struct statfs system {};
  if (::fstatfs(work_.get(), &system) != 0) {
    return fail(Errno::last());
  }
  const auto unit = static_cast<std::uint64_t>(system.f_bsize);
  if (!std::has_single_bit(unit) || unit > kMaxHoleUnit) {
    return std::uint64_t{0};
  }
  const std::string name = work_name("h");
  const sys::Fd file =
      SBX_TRY(at::open(work_.get(), name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0600));
  SBX_TRY(at::unlink(work_.get(), name.c_str()));
  SBX_TRY(at::truncate(file.get(), kUnits * unit));
  const std::vector<std::byte> zeros(unit);
  const std::uint64_t middle = kUnits / 2 * unit + unit;
  SBX_TRY(at::pwrite_full(file.get(), zeros, middle));
  const bool tells = SBX_TRY(at::seek(file.get(), 0, SEEK_DATA)) == middle &&
                     SBX_TRY(at::seek(file.get(), middle, SEEK_HOLE)) == middle + unit;
  return tells ? unit : 0;
}

}  // namespace sbx::overlay
