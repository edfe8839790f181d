// The overlay through the kernel: what programs do to files. Every test has a directory of its own in one mount;
// "lower" there is a directory of the lower tree.

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "harness.hpp"
#include "needs.hpp"

namespace {

using sbx::sys::Fd;

struct stat stat_of(const std::string& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st;
}

bool exists(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0;
}

std::string text_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

void put(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::app);
  out << text;
}

/// The errno of a call that must fail, 0 if it does not.
int code(long result) { return result < 0 ? errno : 0; }

Fd open_file(const std::string& path, int flags, mode_t mode = 0600) {
  Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  REQUIRE(fd.valid());
  return fd;
}

std::set<std::string> names_in(const std::string& path) {
  std::set<std::string> names;
  DIR* dir = ::opendir(path.c_str());
  REQUIRE(dir != nullptr);
  while (const struct dirent* entry = ::readdir(dir)) {
    CHECK(names.insert(entry->d_name).second);
  }
  ::closedir(dir);
  names.erase(".");
  names.erase("..");
  return names;
}

/// What the lower tree has in "lower", made before the mount.
void make_lower(const std::string& dir) {
  for (const char* name : {"", "/dir", "/dir/sub", "/many", "/empty"}) {
    (void)::mkdir((dir + "/lower" + name).c_str(), 0755);
  }
  put(dir + "/lower/file", std::string(300000, 'l'));
  put(dir + "/lower/dir/inner", "inner");
  put(dir + "/lower/small", "small");
  put(dir + "/lower/one", "linked");
  put(dir + "/lower/suid", "program");
  (void)::chmod((dir + "/lower/suid").c_str(), 06755);
  (void)!::link((dir + "/lower/one").c_str(), (dir + "/lower/two").c_str());
  (void)!::symlink("small", (dir + "/lower/link").c_str());
  const Fd sparse(::open((dir + "/lower/sparse").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  (void)!::pwrite(sparse.get(), "end", 3, 10 << 20);
  for (int i = 0; i < 500; ++i) {
    put(dir + "/lower/many/f" + std::to_string(i), "x");
  }
}

}  // namespace

TEST_CASE("a new file with a mode that forbids writing can be written by its maker") {
  const Fd fd = open_file("new-0444", O_CREAT | O_EXCL | O_WRONLY, 0444);
  CHECK(::write(fd.get(), "text", 4) == 4);
  CHECK((stat_of("new-0444").st_mode & 07777) == 0444);
  CHECK(text_of("new-0444") == "text");
  CHECK(code(::open("new-0444", O_CREAT | O_EXCL | O_WRONLY, 0600)) == EEXIST);
}

TEST_CASE("a lower file that is written keeps its number and the bytes around") {
  const auto before = stat_of("lower/file");
  {
    const Fd fd = open_file("lower/file", O_RDWR);
    CHECK(::pwrite(fd.get(), "HERE", 4, 150000) == 4);
  }
  const auto after = stat_of("lower/file");
  CHECK(after.st_ino == before.st_ino);
  CHECK(after.st_size == before.st_size);
  std::string wanted(300000, 'l');
  wanted.replace(150000, 4, "HERE");
  CHECK(text_of("lower/file") == wanted);
}

TEST_CASE("all names of a hard-linked lower file see a change") {
  CHECK(stat_of("lower/one").st_nlink == 2);
  CHECK(text_of("lower/two") == "linked");
  put("lower/one", " again");
  CHECK(text_of("lower/two") == "linked again");
  CHECK(stat_of("lower/one").st_ino == stat_of("lower/two").st_ino);
  CHECK(stat_of("lower/two").st_nlink == 2);
  CHECK(::unlink("lower/one") == 0);
  CHECK(stat_of("lower/two").st_nlink == 1);
}

TEST_CASE("a directory of the lower tree is renamed, with all it holds") {
  const auto before = stat_of("lower/dir/inner");
  CHECK(::rename("lower/dir", "moved") == 0);
  CHECK_FALSE(exists("lower/dir"));
  CHECK(text_of("moved/inner") == "inner");
  CHECK(stat_of("moved/inner").st_ino == before.st_ino);
  put("moved/inner", "+");
  CHECK(text_of("moved/inner") == "inner+");
  CHECK(::mkdir("lower/dir", 0755) == 0);
  CHECK(names_in("lower/dir").empty());
  CHECK(code(::rmdir("moved")) == ENOTEMPTY);
  CHECK(code(::rename("moved", "moved/sub/x")) == EINVAL);
}

TEST_CASE("renameat2 exchanges and refuses to replace") {
  put("ex-a", "a");
  put("ex-b", "b");
  CHECK(::renameat2(AT_FDCWD, "ex-a", AT_FDCWD, "ex-b", RENAME_EXCHANGE) == 0);
  CHECK(text_of("ex-a") == "b");
  CHECK(code(::renameat2(AT_FDCWD, "ex-a", AT_FDCWD, "ex-b", RENAME_NOREPLACE)) == EEXIST);
  CHECK(::renameat2(AT_FDCWD, "ex-a", AT_FDCWD, "lower/empty", RENAME_EXCHANGE) == 0);
  CHECK(S_ISDIR(stat_of("ex-a").st_mode));
  CHECK(text_of("lower/empty") == "b");
}

TEST_CASE("a file without a name lives as long as it is open") {
  Fd fd = open_file("gone", O_CREAT | O_RDWR);
  REQUIRE(::write(fd.get(), "alive", 5) == 5);
  REQUIRE(::unlink("gone") == 0);
  struct stat st {};
  CHECK(::fstat(fd.get(), &st) == 0);
  CHECK(st.st_nlink == 0);
  CHECK(::fchmod(fd.get(), 0640) == 0);
  CHECK(::pwrite(fd.get(), "!", 1, 5) == 1);
  CHECK(::fsync(fd.get()) == 0);
  char text[7] = {};
  CHECK(::pread(fd.get(), text, 6, 0) == 6);
  CHECK(std::string(text) == "alive!");
}

TEST_CASE("a lower file that is removed while open can still be read and written") {
  const Fd fd = open_file("lower/small", O_RDWR);
  REQUIRE(::unlink("lower/small") == 0);
  CHECK_FALSE(exists("lower/small"));
  CHECK(::pwrite(fd.get(), "S", 1, 0) == 1);
  CHECK(::fsync(fd.get()) == 0);
  char text[6] = {};
  CHECK(::pread(fd.get(), text, 5, 0) == 5);
  CHECK(std::string(text) == "Small");
  put("lower/small", "new");
  CHECK(text_of("lower/small") == "new");
}

TEST_CASE("a file made without a name gets one by linkat") {
  Fd fd(::open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0640));
  if (!fd && errno == EOPNOTSUPP) {
    WARN("O_TMPFILE on FUSE: since Linux 6.1");
    return;
  }
  REQUIRE(fd.valid());
  CHECK(::write(fd.get(), "tmp", 3) == 3);
  struct stat st {};
  CHECK(::fstat(fd.get(), &st) == 0);
  CHECK(st.st_nlink == 0);
  const std::string self = "/proc/self/fd/" + std::to_string(fd.get());
  CHECK(::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
  CHECK(text_of("named") == "tmp");
  CHECK(stat_of("named").st_nlink == 1);
}

TEST_CASE("memory mapped shared is written back, also over a lower file") {
  for (const char* path : {"lower/sparse", "mapped"}) {
    const Fd fd = open_file(path, O_CREAT | O_RDWR);
    REQUIRE(::ftruncate(fd.get(), 10 << 20) == 0);
    void* memory = ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 4096);
    REQUIRE(memory != MAP_FAILED);
    std::memcpy(memory, "shared", 6);
    CHECK(::msync(memory, 8192, MS_SYNC) == 0);
    CHECK(::munmap(memory, 8192) == 0);
    char text[7] = {};
    CHECK(::pread(fd.get(), text, 6, 4096) == 6);
    CHECK(std::string(text) == "shared");
  }
}

TEST_CASE("holes can be punched and found") {
  const Fd fd = open_file("holes", O_CREAT | O_RDWR);
  const std::string data(1 << 20, 'd');
  REQUIRE(::pwrite(fd.get(), data.data(), data.size(), 0) == 1 << 20);
  REQUIRE(::fsync(fd.get()) == 0);
  if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536, 131072) != 0) {
    CHECK(errno == EOPNOTSUPP);
    return;
  }
  CHECK(::lseek(fd.get(), 0, SEEK_HOLE) == 65536);
  CHECK(::lseek(fd.get(), 65536, SEEK_DATA) == 65536 + 131072);
  char byte = 'x';
  CHECK(::pread(fd.get(), &byte, 1, 70000) == 1);
  CHECK(byte == 0);
  CHECK(::fallocate(fd.get(), 0, 0, 2 << 20) == 0);
  CHECK(stat_of("holes").st_size == 2 << 20);
}

TEST_CASE("ranges are copied between files") {
  put("from", std::string(100000, 'c'));
  const Fd from = open_file("from", O_RDONLY);
  const Fd lower = open_file("lower/many/f1", O_RDONLY);
  const Fd to = open_file("to", O_CREAT | O_RDWR);
  off_t in = 0;
  off_t out = 10;
  CHECK(::copy_file_range(from.get(), &in, to.get(), &out, 100000, 0) == 100000);
  in = out = 0;
  CHECK(::copy_file_range(lower.get(), &in, to.get(), &out, 1, 0) == 1);
  CHECK(text_of("to") == "x" + std::string(9, '\0') + std::string(100000, 'c'));
}

TEST_CASE("set-user-id goes when the owner changes, and when others write") {
  CHECK((stat_of("lower/suid").st_mode & 07777) == 06755);
  CHECK(::chown("lower/suid", 0, 0) == 0);
  CHECK((stat_of("lower/suid").st_mode & 07777) == 0755);
  put("suid2", "x");
  CHECK(::chmod("suid2", 06755) == 0);
  CHECK((stat_of("suid2").st_mode & 07777) == 06755);
}

TEST_CASE("a directory with the set-group-id bit hands its group down") {
  CHECK(::mkdir("sgid", 0755) == 0);
  if (::chown("sgid", 0, 7) != 0) {
    CHECK(errno == EINVAL);  // one id only
    return;
  }
  CHECK(::chmod("sgid", 02775) == 0);
  CHECK(::mkdir("sgid/dir", 0755) == 0);
  put("sgid/file", "x");
  CHECK(stat_of("sgid/dir").st_gid == 7);
  CHECK((stat_of("sgid/dir").st_mode & S_ISGID) != 0);
  CHECK(stat_of("sgid/file").st_gid == 7);
}

TEST_CASE("times are kept to the nanosecond") {
  put("times", "x");
  const struct timespec times[2] = {{1000000000, 123456789}, {2000000000, 987654321}};
  CHECK(::utimensat(AT_FDCWD, "times", times, 0) == 0);
  const auto st = stat_of("times");
  CHECK(st.st_atim.tv_nsec == 123456789);
  CHECK(st.st_mtim.tv_sec == 2000000000);
  CHECK(st.st_mtim.tv_nsec == 987654321);
  CHECK(::utimensat(AT_FDCWD, "lower/link", times, AT_SYMLINK_NOFOLLOW) == 0);
  CHECK(stat_of("lower/link").st_mtim.tv_nsec == 987654321);
  char target[20] = {};
  CHECK(::readlink("lower/link", target, sizeof(target)) == 5);
}

TEST_CASE("extended attributes are kept, ours are hidden, ACLs refused") {
  put("attributes", "x");
  char value[100] = {};
  CHECK(::setxattr("attributes", "user.color", "red", 3, XATTR_CREATE) == 0);
  CHECK(code(::setxattr("attributes", "user.color", "red", 3, XATTR_CREATE)) == EEXIST);
  CHECK(::getxattr("attributes", "user.color", value, sizeof(value)) == 3);
  CHECK(code(::getxattr("attributes", "user.containers.override_stat", value, sizeof(value))) ==
        ENODATA);
  CHECK(::setxattr("attributes", "user.overlay.opaque", "y", 1, 0) == 0);
  const ssize_t size = ::listxattr("attributes", value, sizeof(value));
  CHECK(std::string(value, static_cast<std::size_t>(size)) ==
        std::string("user.color\0user.overlay.opaque\0", 31));
  CHECK(code(::getxattr("attributes", "system.posix_acl_access", value, sizeof(value))) ==
        EOPNOTSUPP);
  CHECK(code(::setxattr("attributes", "trusted.x", "x", 1, 0)) == EPERM);
  CHECK(::removexattr("attributes", "user.color") == 0);
  CHECK(code(::getxattr("attributes", "user.color", value, sizeof(value))) == ENODATA);
  unsigned flags = 1;
  const Fd fd = open_file("attributes", O_RDONLY);
  CHECK(::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) == 0);
  CHECK(flags == 0);
}

TEST_CASE("sockets and fifos work, devices are refused") {
  CHECK(::mkfifo("fifo", 0600) == 0);
  CHECK(S_ISFIFO(stat_of("fifo").st_mode));
  std::thread writer([] { put("fifo", "through"); });
  CHECK(text_of("fifo") == "through");
  writer.join();
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "socket");
  CHECK(::bind(socket.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address)) == 0);
  CHECK(::listen(socket.get(), 1) == 0);
  const Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(::connect(client.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address)) ==
        0);
  CHECK(S_ISSOCK(stat_of("socket").st_mode));
  CHECK(code(::mknod("device", S_IFBLK | 0600, 5)) == EPERM);
  // A whiteout, for overlays inside: any user may make one.
  CHECK(::mknod("whiteout", S_IFCHR | 0600, 0) == 0);
  CHECK(S_ISCHR(stat_of("whiteout").st_mode));
}

TEST_CASE("a directory of 100000 entries is listed whole, and while it shrinks") {
  CHECK(::mkdir("wide", 0755) == 0);
  const int dir = ::open("wide", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  constexpr int kEntries = 100000;
  for (int i = 0; i < kEntries; ++i) {
    REQUIRE(::mknodat(dir, std::to_string(i).c_str(), S_IFREG | 0600, 0) == 0);
  }
  CHECK(names_in("wide").size() == kEntries);
  DIR* stream = ::fdopendir(dir);
  int removed = 0;
  while (const struct dirent* entry = ::readdir(stream)) {
    removed += ::unlinkat(::dirfd(stream), entry->d_name, 0) == 0 ? 1 : 0;
  }
  ::closedir(stream);
  CHECK(removed == kEntries);
  CHECK(::rmdir("wide") == 0);
}

TEST_CASE("places in a directory stream can be gone back to") {
  DIR* stream = ::opendir("lower/many");
  std::vector<std::pair<long, std::string>> places;
  for (long at = ::telldir(stream); const struct dirent* entry = ::readdir(stream);
       at = ::telldir(stream)) {
    places.emplace_back(at, entry->d_name);
  }
  CHECK(places.size() == 502);
  put("lower/many/f250", "copied up meanwhile");
  for (const auto& [at, name] : places) {
    ::seekdir(stream, at);
    const struct dirent* entry = ::readdir(stream);
    REQUIRE(entry != nullptr);
    CHECK(entry->d_name == name);
  }
  ::closedir(stream);
}

TEST_CASE("names have their limits") {
  CHECK(code(::mkdir(std::string(256, 'n').c_str(), 0755)) == ENAMETOOLONG);
  CHECK(::mkdir(std::string(255, 'n').c_str(), 0755) == 0);
  CHECK(::rmdir(std::string(255, 'n').c_str()) == 0);
  CHECK(code(::open(std::string(300, 'n').c_str(), O_RDONLY | O_CLOEXEC)) == ENAMETOOLONG);
}

TEST_CASE("a tree deeper than a path is long") {
  const Fd here = open_file(".", O_RDONLY | O_DIRECTORY);
  const std::string name(200, 'd');
  constexpr int kDepth = 60;  // 12000 bytes
  for (int i = 0; i < kDepth; ++i) {
    REQUIRE(::mkdir(name.c_str(), 0755) == 0);
    REQUIRE(::chdir(name.c_str()) == 0);
  }
  put("bottom", "deep");
  CHECK(text_of("bottom") == "deep");
  CHECK(::unlink("bottom") == 0);
  for (int i = 0; i < kDepth; ++i) {
    REQUIRE(::chdir("..") == 0);
    REQUIRE(::rmdir(name.c_str()) == 0);
  }
  CHECK(::fchdir(here.get()) == 0);
}

TEST_CASE("a program runs from the overlay, and again after a copy-up") {
  {
    std::ifstream in("/bin/true", std::ios::binary);
    std::ofstream("program", std::ios::binary) << in.rdbuf();
  }
  CHECK(::chmod("program", 0755) == 0);
  for (int round = 0; round < 2; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("./program", "program", nullptr);
      ::_exit(99);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(::chmod("program", 0700) == 0);
  }
}

TEST_CASE("the file system says how much room there is") {
  struct statvfs st {};
  CHECK(::statvfs(".", &st) == 0);
  CHECK(st.f_blocks > 0);
  CHECK(st.f_namemax == 255);
}

TEST_CASE("several programs write to one lower file at once") {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const int fd = ::open("lower/many/f7", O_WRONLY | O_APPEND | O_CLOEXEC);
      for (int n = 0; n < 50; ++n) {
        if (::write(fd, "0123456789", 10) != 10) {
          ::_exit(1);
        }
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(stat_of("lower/many/f7").st_size == 1 + 4 * 50 * 10);
}

TEST_CASE("what is not a directory's is found empty, and a removed directory stays readable") {
  CHECK(::mkdir("cwd", 0755) == 0);
  const Fd dir = open_file("cwd", O_RDONLY | O_DIRECTORY);
  CHECK(::rmdir("cwd") == 0);
  CHECK(code(::openat(dir.get(), "x", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == ENOENT);
  struct stat st {};
  CHECK(::fstat(dir.get(), &st) == 0);
  CHECK(st.st_nlink == 0);
}

int main(int argc, char** argv) {
  sbx::test::require_or_skip({sbx::test::Need::kUserNamespaces, sbx::test::Need::kFuse});
  const sbx::test::TempDir dir;
  for (const char* name : {"lower", "upper", "work", "mnt"}) {
    (void)::mkdir((dir / name).c_str(), 0755);
  }
  make_lower(dir / "lower");
  sbx::test::MountOptions options;
  options.lower = dir / "lower";
  options.upper = dir / "upper";
  options.work = dir / "work";
  options.mountpoint = dir / "mnt";
  options.durability = sbx::overlay::Durability::kDurable;
  options.print_counts = true;
  return sbx::test::run_mounted(options, [&] {
    return ::chdir(options.mountpoint.c_str()) == 0 ? Catch::Session().run(argc, argv) : 1;
  });
}
