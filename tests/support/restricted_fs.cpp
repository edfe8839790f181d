// restricted_fs [-w WORD,...] {-t VARIABLE|BACKING MOUNTPOINT} COMMAND...: shows BACKING at MOUNTPOINT as a file system
// that lacks things, as network file systems do, runs COMMAND and ends with its exit code, or 77 where FUSE cannot be
// had. Any user may (fusermount3); only that user's processes may look.
//   -w  without: xattrs links devices rename (all flags) removal (of open files: they become .nfs*, as NFS does it) holes
//       (fallocate, SEEK_DATA), symlinks; "nfs" stands for all that NFS 4.1 lacks, "all" for all but
//       symlinks
//   -t  two fresh directories; VARIABLE tells COMMAND the mount point
// Files are known by their inode in BACKING, so hard links are one file, and numbers last. One thread: requests have an
// order.

#define FUSE_USE_VERSION 314

#include <dirent.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr int kSkip = 77;
constexpr int kFailed = 70;

struct Without {
  bool xattrs = false;
  bool links = false;
  bool devices = false;
  bool rename = false;
  bool removal = false;
  bool holes = false;
  bool symlinks = false;
};

/// What was renamed instead of removed, since it is open.
struct Left {
  int dir = -1;
  std::string name;
};

struct Inode {
  Inode() = default;
  Inode(const Inode&) = delete;
  Inode& operator=(const Inode&) = delete;
  ~Inode() { ::close(fd); }
  int fd = -1;  // O_PATH
  std::pair<dev_t, ino_t> key;
  std::uint64_t lookups = 0;
  unsigned opens = 0;
  std::vector<Left> left;
};

struct State {
  Without without;
  Inode root;
  std::map<std::pair<dev_t, ino_t>, std::unique_ptr<Inode>> inodes;
  unsigned next_left = 0;
};

State& state(fuse_req_t request) { return *static_cast<State*>(fuse_req_userdata(request)); }

Inode& inode(fuse_req_t request, fuse_ino_t id) {
  return id == FUSE_ROOT_ID ? state(request).root : *reinterpret_cast<Inode*>(id);
}

int fd_of(fuse_req_t request, fuse_ino_t id) { return inode(request, id).fd; }

/// What takes no O_PATH descriptor takes this path.
std::string path_of(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

void reply_code(fuse_req_t request, long result) {
  fuse_reply_err(request, result < 0 ? errno : 0);
}

// ---- names ----------------------------------------------------------------------------------------------------------

/// 0, or an errno. Counts a lookup.
int find(fuse_req_t request, fuse_ino_t dir, const char* name, fuse_entry_param& entry) {
  const int fd = ::openat(fd_of(request, dir), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  entry = {};
  if (::fstatat(fd, "", &entry.attr, AT_EMPTY_PATH) != 0) {
    const int code = errno;
    ::close(fd);
    return code;
  }
  auto& known = state(request).inodes[{entry.attr.st_dev, entry.attr.st_ino}];
  if (known == nullptr) {
    known = std::make_unique<Inode>();
    known->fd = fd;
    known->key = {entry.attr.st_dev, entry.attr.st_ino};
  } else {
    ::close(fd);
  }
  ++known->lookups;
  entry.ino = reinterpret_cast<fuse_ino_t>(known.get());
  return 0;
}

void reply_entry(fuse_req_t request, fuse_ino_t dir, const char* name) {
  fuse_entry_param entry{};
  const int code = find(request, dir, name, entry);
  if (code != 0) {
    fuse_reply_err(request, code);
  } else {
    fuse_reply_entry(request, &entry);
  }
}

void lookup(fuse_req_t request, fuse_ino_t dir, const char* name) {
  reply_entry(request, dir, name);
}

void drop(State& all, Inode& node, std::uint64_t count) {
  node.lookups -= count;
  if (node.lookups == 0 && node.opens == 0) {
    all.inodes.erase(node.key);
  }
}

void forget(fuse_req_t request, fuse_ino_t id, std::uint64_t count) {
  if (id != FUSE_ROOT_ID) {
    drop(state(request), inode(request, id), count);
  }
  fuse_reply_none(request);
}

void reply_made(fuse_req_t request, int result, fuse_ino_t dir, const char* name) {
  if (result != 0) {
    fuse_reply_err(request, errno);
  } else {
    reply_entry(request, dir, name);
  }
}

void make_node(fuse_req_t request, fuse_ino_t dir, const char* name, mode_t mode, dev_t device) {
  if ((S_ISCHR(mode) || S_ISBLK(mode)) && state(request).without.devices) {
    fuse_reply_err(request, EPERM);
  } else {
    reply_made(request, ::mknodat(fd_of(request, dir), name, mode, device), dir, name);
  }
}

void make_dir(fuse_req_t request, fuse_ino_t dir, const char* name, mode_t mode) {
  reply_made(request, ::mkdirat(fd_of(request, dir), name, mode), dir, name);
}

void make_symlink(fuse_req_t request, const char* target, fuse_ino_t dir, const char* name) {
  if (state(request).without.symlinks) {
    fuse_reply_err(request, EPERM);
  } else {
    reply_made(request, ::symlinkat(target, fd_of(request, dir), name), dir, name);
  }
}

void make_link(fuse_req_t request, fuse_ino_t id, fuse_ino_t dir, const char* name) {
  if (state(request).without.links) {
    fuse_reply_err(request, EPERM);
    return;
  }
  const std::string from = path_of(fd_of(request, id));
  reply_made(request,
             ::linkat(AT_FDCWD, from.c_str(), fd_of(request, dir), name, AT_SYMLINK_FOLLOW), dir,
             name);
}

/// The open file that a name is of; null if the name may go.
Inode* in_use(State& all, int dir, const char* name) {
  struct stat st {};
  if (!all.without.removal || ::fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
      S_ISDIR(st.st_mode)) {
    return nullptr;
  }
  const auto found = all.inodes.find({st.st_dev, st.st_ino});
  return found != all.inodes.end() && found->second->opens > 0 ? found->second.get() : nullptr;
}

/// 0, or an errno. EBUSY for what is there only because it is open, as of NFS.
int set_aside(State& all, Inode& open, int dir, const char* name) {
  if (std::strncmp(name, ".nfs", 4) == 0) {
    return EBUSY;
  }
  std::array<char, 32> other{};
  (void)std::snprintf(other.data(), other.size(), ".nfs%016lx%08x",
                      static_cast<unsigned long>(open.key.second), all.next_left++);
  if (::renameat2(dir, name, dir, other.data(), RENAME_NOREPLACE) != 0) {
    return errno;
  }
  open.left.push_back({::fcntl(dir, F_DUPFD_CLOEXEC, 0), other.data()});
  return 0;
}

void remove(fuse_req_t request, fuse_ino_t dir, const char* name) {
  const int fd = fd_of(request, dir);
  if (Inode* open = in_use(state(request), fd, name)) {
    fuse_reply_err(request, set_aside(state(request), *open, fd, name));
  } else {
    reply_code(request, ::unlinkat(fd, name, 0));
  }
}

void remove_dir(fuse_req_t request, fuse_ino_t dir, const char* name) {
  reply_code(request, ::unlinkat(fd_of(request, dir), name, AT_REMOVEDIR));
}

void move(fuse_req_t request, fuse_ino_t from_dir, const char* from, fuse_ino_t to_dir,
          const char* to, unsigned flags) {
  State& all = state(request);
  const int source = fd_of(request, from_dir);
  const int target = fd_of(request, to_dir);
  if (flags != 0 && all.without.rename) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  Inode* open = flags == 0 ? in_use(all, target, to) : nullptr;
  if (open != nullptr) {
    const int code = set_aside(all, *open, target, to);
    if (code != 0) {
      fuse_reply_err(request, code);
      return;
    }
  }
  reply_code(request, ::renameat2(source, from, target, to, flags));
}

// ---- attributes -----------------------------------------------------------------------------------------------------

void get_attr(fuse_req_t request, fuse_ino_t id, fuse_file_info* /*file*/) {
  struct stat st {};
  if (::fstatat(fd_of(request, id), "", &st, AT_EMPTY_PATH) != 0) {
    fuse_reply_err(request, errno);
  } else {
    fuse_reply_attr(request, &st, 0);
  }
}

long change_times(int fd, const struct stat& wish, int which) {
  struct timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
  if ((which & FUSE_SET_ATTR_ATIME) != 0) {
    times[0] = (which & FUSE_SET_ATTR_ATIME_NOW) != 0 ? timespec{0, UTIME_NOW} : wish.st_atim;
  }
  if ((which & FUSE_SET_ATTR_MTIME) != 0) {
    times[1] = (which & FUSE_SET_ATTR_MTIME_NOW) != 0 ? timespec{0, UTIME_NOW} : wish.st_mtim;
  }
  return ::utimensat(fd, "", times, AT_EMPTY_PATH);  // symlinks too, since Linux 5.8
}

void set_attr(fuse_req_t request, fuse_ino_t id, struct stat* wish, int which,
              fuse_file_info* file) {
  const int fd = fd_of(request, id);
  long result = 0;
  if ((which & FUSE_SET_ATTR_MODE) != 0) {
    result = ::chmod(path_of(fd).c_str(), wish->st_mode & 07777U);
  }
  if (result == 0 && (which & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0) {
    const uid_t uid = (which & FUSE_SET_ATTR_UID) != 0 ? wish->st_uid : static_cast<uid_t>(-1);
    const gid_t gid = (which & FUSE_SET_ATTR_GID) != 0 ? wish->st_gid : static_cast<gid_t>(-1);
    result = ::fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
  }
  if (result == 0 && (which & FUSE_SET_ATTR_SIZE) != 0) {
    result = file != nullptr ? ::ftruncate(static_cast<int>(file->fh), wish->st_size)
                             : ::truncate(path_of(fd).c_str(), wish->st_size);
  }
  if (result == 0 && (which & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME)) != 0) {
    result = change_times(fd, *wish, which);
  }
  if (result < 0) {
    fuse_reply_err(request, errno);
  } else {
    get_attr(request, id, file);
  }
}

void read_link(fuse_req_t request, fuse_ino_t id) {
  std::array<char, PATH_MAX + 1> target{};
  const ssize_t size = ::readlinkat(fd_of(request, id), "", target.data(), target.size() - 1);
  if (size < 0) {
    fuse_reply_err(request, errno);
  } else {
    fuse_reply_readlink(request, target.data());
  }
}

/// As getxattr(2) and listxattr(2): with no room, how much there is.
void reply_value(fuse_req_t request, const std::string& value, ssize_t got) {
  if (got < 0) {
    fuse_reply_err(request, errno);
  } else if (value.empty()) {
    fuse_reply_xattr(request, static_cast<std::size_t>(got));
  } else {
    fuse_reply_buf(request, value.data(), static_cast<std::size_t>(got));
  }
}

void get_xattr(fuse_req_t request, fuse_ino_t id, const char* name, std::size_t size) {
  std::string value(size, '\0');
  const std::string path = path_of(fd_of(request, id));
  const bool without = state(request).without.xattrs;
  reply_value(
      request, value,
      without ? (errno = EOPNOTSUPP, -1) : ::getxattr(path.c_str(), name, value.data(), size));
}

void list_xattrs(fuse_req_t request, fuse_ino_t id, std::size_t size) {
  std::string names(size, '\0');
  const std::string path = path_of(fd_of(request, id));
  const bool without = state(request).without.xattrs;
  reply_value(request, names,
              without ? (errno = EOPNOTSUPP, -1) : ::listxattr(path.c_str(), names.data(), size));
}

void set_xattr(fuse_req_t request, fuse_ino_t id, const char* name, const char* value,
               std::size_t size, int flags) {
  if (state(request).without.xattrs) {
    fuse_reply_err(request, EOPNOTSUPP);
  } else {
    reply_code(request, ::setxattr(path_of(fd_of(request, id)).c_str(), name, value, size, flags));
  }
}

void remove_xattr(fuse_req_t request, fuse_ino_t id, const char* name) {
  if (state(request).without.xattrs) {
    fuse_reply_err(request, EOPNOTSUPP);
  } else {
    reply_code(request, ::removexattr(path_of(fd_of(request, id)).c_str(), name));
  }
}

void stat_fs(fuse_req_t request, fuse_ino_t id) {
  struct statvfs st {};
  if (::fstatvfs(fd_of(request, id), &st) != 0) {
    fuse_reply_err(request, errno);
  } else {
    fuse_reply_statfs(request, &st);
  }
}

// ---- data -----------------------------------------------------------------------------------------------------------

int open_again(int fd, int flags) {
  return ::open(path_of(fd).c_str(), (flags & ~O_NOFOLLOW) | O_CLOEXEC);
}

void open_file(fuse_req_t request, fuse_ino_t id, fuse_file_info* file) {
  // O_APPEND: the kernel says where to write.
  const int fd = open_again(fd_of(request, id), file->flags & ~O_APPEND);
  if (fd < 0) {
    fuse_reply_err(request, errno);
    return;
  }
  ++inode(request, id).opens;
  file->fh = static_cast<std::uint64_t>(fd);
  fuse_reply_open(request, file);
}

void create(fuse_req_t request, fuse_ino_t dir, const char* name, mode_t mode,
            fuse_file_info* file) {
  const int flags = (file->flags & ~O_APPEND) | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  const int fd = ::openat(fd_of(request, dir), name, flags, mode);
  if (fd < 0) {
    fuse_reply_err(request, errno);
    return;
  }
  fuse_entry_param entry{};
  const int code = find(request, dir, name, entry);
  if (code != 0) {
    ::close(fd);
    fuse_reply_err(request, code);
    return;
  }
  ++inode(request, entry.ino).opens;
  file->fh = static_cast<std::uint64_t>(fd);
  fuse_reply_create(request, &entry, file);
}

void release(fuse_req_t request, fuse_ino_t id, fuse_file_info* file) {
  Inode& node = inode(request, id);
  ::close(static_cast<int>(file->fh));
  if (--node.opens == 0) {
    for (const Left& left : std::exchange(node.left, {})) {
      (void)::unlinkat(left.dir, left.name.c_str(), 0);
      ::close(left.dir);
    }
    if (&node != &state(request).root) {
      drop(state(request), node, 0);
    }
  }
  fuse_reply_err(request, 0);
}

void read_data(fuse_req_t request, fuse_ino_t /*id*/, std::size_t size, off_t offset,
               fuse_file_info* file) {
  std::string data(size, '\0');
  const ssize_t got = ::pread(static_cast<int>(file->fh), data.data(), size, offset);
  if (got < 0) {
    fuse_reply_err(request, errno);
  } else {
    fuse_reply_buf(request, data.data(), static_cast<std::size_t>(got));
  }
}

void write_data(fuse_req_t request, fuse_ino_t /*id*/, const char* data, std::size_t size,
                off_t offset, fuse_file_info* file) {
  const ssize_t put = ::pwrite(static_cast<int>(file->fh), data, size, offset);
  if (put < 0) {
    fuse_reply_err(request, errno);
  } else {
    fuse_reply_write(request, static_cast<std::size_t>(put));
  }
}

void sync_file(fuse_req_t request, fuse_ino_t /*id*/, int data_only, fuse_file_info* file) {
  const int fd = static_cast<int>(file->fh);
  reply_code(request, data_only != 0 ? ::fdatasync(fd) : ::fsync(fd));
}

void allocate(fuse_req_t request, fuse_ino_t /*id*/, int mode, off_t offset, off_t size,
              fuse_file_info* file) {
  if (state(request).without.holes) {
    fuse_reply_err(request, EOPNOTSUPP);
  } else {
    reply_code(request, ::fallocate(static_cast<int>(file->fh), mode, offset, size));
  }
}

void seek(fuse_req_t request, fuse_ino_t /*id*/, off_t offset, int whence, fuse_file_info* file) {
  const off_t at = state(request).without.holes
                       ? (errno = ENOSYS, -1)
                       : ::lseek(static_cast<int>(file->fh), offset, whence);
  if (at < 0) {
    fuse_reply_err(request, errno);
  } else {
    fuse_reply_lseek(request, at);
  }
}

// ---- directories ----------------------------------------------------------------------------------------------------

DIR* dir_of(fuse_file_info* file) { return reinterpret_cast<DIR*>(file->fh); }

void open_dir(fuse_req_t request, fuse_ino_t id, fuse_file_info* file) {
  const int fd = ::openat(fd_of(request, id), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* dir = fd < 0 ? nullptr : ::fdopendir(fd);
  if (dir == nullptr) {
    fuse_reply_err(request, errno);
    return;
  }
  file->fh = reinterpret_cast<std::uint64_t>(dir);
  fuse_reply_open(request, file);
}

void read_dir(fuse_req_t request, fuse_ino_t /*id*/, std::size_t size, off_t offset,
              fuse_file_info* file) {
  DIR* dir = dir_of(file);
  if (offset == 0) {
    ::rewinddir(dir);
  } else {
    ::seekdir(dir, offset);
  }
  std::string data(size, '\0');
  std::size_t used = 0;
  while (const struct dirent* entry = ::readdir(dir)) {
    struct stat st {};
    st.st_ino = entry->d_ino;
    st.st_mode = static_cast<mode_t>(DTTOIF(entry->d_type));
    const std::size_t needed = fuse_add_direntry(request, data.data() + used, size - used,
                                                 entry->d_name, &st, ::telldir(dir));
    if (needed > size - used) {
      break;
    }
    used += needed;
  }
  fuse_reply_buf(request, data.data(), used);
}

void release_dir(fuse_req_t request, fuse_ino_t /*id*/, fuse_file_info* file) {
  ::closedir(dir_of(file));
  fuse_reply_err(request, 0);
}

fuse_lowlevel_ops operations() {
  fuse_lowlevel_ops ops{};
  ops.lookup = lookup;
  ops.forget = forget;
  ops.mknod = make_node;
  ops.mkdir = make_dir;
  ops.symlink = make_symlink;
  ops.link = make_link;
  ops.unlink = remove;
  ops.rmdir = remove_dir;
  ops.rename = move;
  ops.getattr = get_attr;
  ops.setattr = set_attr;
  ops.readlink = read_link;
  ops.getxattr = get_xattr;
  ops.listxattr = list_xattrs;
  ops.setxattr = set_xattr;
  ops.removexattr = remove_xattr;
  ops.statfs = stat_fs;
  ops.open = open_file;
  ops.create = create;
  ops.release = release;
  ops.read = read_data;
  ops.write = write_data;
  ops.fsync = sync_file;
  ops.fallocate = allocate;
  ops.lseek = seek;
  ops.opendir = open_dir;
  ops.readdir = read_dir;
  ops.releasedir = release_dir;
  return ops;
}

// ---- the program ----------------------------------------------------------------------------------------------------

/// False for a word that is not known.
bool take_words(const std::string& words, Without& without) {
  std::istringstream in(words);
  for (std::string word; std::getline(in, word, ',');) {
    const bool nfs = word == "nfs";
    const bool all = word == "all";
    const std::array<std::pair<const char*, bool*>, 7> known{{{"xattrs", &without.xattrs},
                                                              {"rename", &without.rename},
                                                              {"removal", &without.removal},
                                                              {"holes", &without.holes},
                                                              {"links", &without.links},
                                                              {"devices", &without.devices},
                                                              {"symlinks", &without.symlinks}}};
    bool found = nfs || all;
    for (std::size_t i = 0; i < known.size(); ++i) {
      const bool meant = word == known[i].first || (nfs && i < 4) || (all && i < 6);
      *known[i].second = *known[i].second || meant;
      found = found || word == known[i].first;
    }
    if (!found) {
      return false;
    }
  }
  return true;
}

pid_t start(char** command, const sigset_t& signals) {
  const pid_t server = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)::sigprocmask(SIG_SETMASK, &signals, nullptr);
    if (::getppid() == server) {
      ::execvp(command[0], command);
      std::perror(command[0]);
    }
    ::_exit(127);
  }
  return pid;
}

void prepare_server() {
  ::umask(0);  // the kernel has applied that of the caller
  struct rlimit files {};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;  // one is open for each file that the kernel knows
    (void)::setrlimit(RLIMIT_NOFILE, &files);
  }
}

volatile std::sig_atomic_t told_to_end = 0;  // NOLINT: what else may a handler write to

/// Also ends a wait.
void note_signal(int signal) { told_to_end = signal == SIGTERM ? 1 : told_to_end; }

/// Serves until the command ends; its exit code.
int serve(fuse_session* session, char** command) {
  // Blocked but for the wait, so that none comes just before it.
  sigset_t ends;
  sigset_t before;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  sigaddset(&ends, SIGTERM);
  (void)::sigprocmask(SIG_BLOCK, &ends, &before);
  struct sigaction woken {};
  woken.sa_handler = note_signal;
  (void)::sigaction(SIGCHLD, &woken, nullptr);
  (void)::sigaction(SIGTERM, &woken, nullptr);
  const pid_t pid = start(command, before);
  prepare_server();
  fuse_buf buffer{};
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (told_to_end != 0) {
      (void)::kill(pid, SIGKILL);
    }
    struct pollfd device {};
    device.fd = fuse_session_fd(session);
    device.events = POLLIN;
    if (::ppoll(&device, 1, nullptr, &before) > 0 &&
        fuse_session_receive_buf(session, &buffer) > 0) {
      fuse_session_process_buf(session, &buffer);
    }
  }
  std::free(buffer.mem);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run(const char* backing, const char* mountpoint, const Without& without, char** command) {
  State all;
  all.without = without;
  all.root.fd = ::open(backing, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (all.root.fd < 0) {
    std::perror(backing);
    return kFailed;
  }
  std::string options = "default_permissions,fsname=restricted,subtype=restricted";
  std::array<char*, 3> words{const_cast<char*>("restricted_fs"), const_cast<char*>("-o"),
                             options.data()};
  fuse_args arguments = FUSE_ARGS_INIT(words.size(), words.data());
  const fuse_lowlevel_ops ops = operations();
  fuse_session* session = fuse_session_new(&arguments, &ops, sizeof(ops), &all);
  if (session == nullptr || fuse_session_mount(session, mountpoint) != 0) {
    std::printf("SKIP fuse: cannot mount at %s (is there a fusermount3?)\n", mountpoint);
    return kSkip;
  }
  const int code = serve(session, command);
  fuse_session_unmount(session);
  fuse_session_destroy(session);
  fuse_opt_free_args(&arguments);
  return code;
}

}  // namespace

namespace {

/// Runs with two fresh directories, and tells the command by the variable which one to use.
int run_in_fresh(const char* variable, const Without& without, char** command) {
  const char* base = std::getenv("TMPDIR");
  std::string top = std::string(base != nullptr ? base : "/var/tmp") + "/restricted-XXXXXX";
  if (::mkdtemp(top.data()) == nullptr) {
    std::perror(top.c_str());
    return kFailed;
  }
  const std::string backing = top + "/backing";
  const std::string mountpoint = top + "/mount";
  (void)::mkdir(backing.c_str(), 0700);
  (void)::mkdir(mountpoint.c_str(), 0700);
  (void)::setenv(variable, mountpoint.c_str(), 1);
  const int code = run(backing.c_str(), mountpoint.c_str(), without, command);
  std::error_code ignored;
  std::filesystem::remove_all(top, ignored);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  Without without;
  const char* variable = nullptr;
  bool good = true;
  for (int c = 0; (c = ::getopt(argc, argv, "+w:t:")) != -1;) {
    if (c == 't') {
      variable = optarg;
    } else {
      good = good && c == 'w' && take_words(optarg, without);
    }
  }
  char** words = argv + optind;
  const int count = argc - optind;
  if (good && variable != nullptr && count >= 1) {
    return run_in_fresh(variable, without, words);
  }
  if (!good || variable != nullptr || count < 3) {
    std::fprintf(
        stderr, "usage: restricted_fs [-w WORD,...] {-t VARIABLE|BACKING MOUNTPOINT} COMMAND...\n");
    return 2;
  }
  return run(words[0], words[1], without, words + 2);
}
