// tree_list [-x] ROOT [SKIP...]: prints one JSON object a line for each path below ROOT, sorted by bytes: type, mode,
// owner, size, mtime, link count, who shares an inode with whom, device number, link target, xattrs, sha256.
// Static, so that it runs inside images that have nothing; compare_tree.py compares two of its listings.
//   -x    do not go into other file systems (their mount points are listed)
//   SKIP  paths (as listed, e.g. /proc) that are left out with all below them
// Bytes that are not printable ASCII appear as \u00XX, one per byte: the listing is ASCII whatever the names are.

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

int failures = 0;

void complain(const char* what, const std::string& path) {
  std::fprintf(stderr, "tree_list: %s %s: %s\n", what, path.c_str(), std::strerror(errno));
  ++failures;
}

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\') {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(byte));
      out += code.data();
    } else {
      out += each;
    }
  }
  return out + '"';
}

const char* type_name(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "dir";
    case S_IFLNK:
      return "symlink";
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    case S_IFCHR:
      return "char";
    case S_IFBLK:
      return "block";
    default:
      return "unknown";
  }
}

// An empty file is not opened: there is nothing in it that a refusal could keep back.
std::string hash_of(const std::string& path, bool empty) {
  if (empty) {
    return "empty";
  }
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    complain("cannot open", path);
    return "unreadable";
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state(EVP_MD_CTX_new(),
                                                                      EVP_MD_CTX_free);
  EVP_DigestInit_ex(state.get(), EVP_sha256(), nullptr);
  static std::array<char, 1U << 20U> buffer;
  ssize_t got = 0;
  while ((got = read(fd, buffer.data(), buffer.size())) > 0) {
    EVP_DigestUpdate(state.get(), buffer.data(), static_cast<std::size_t>(got));
  }
  close(fd);
  if (got < 0) {
    // A file system that answers at the first read and not at open(2) refuses just as well.
    complain("cannot read", path);
    return "unreadable";
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(state.get(), digest.data(), &length);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    std::array<char, 3> pair{};
    std::snprintf(pair.data(), pair.size(), "%02x", digest.at(i));
    hex += pair.data();
  }
  return hex;
}

// {"name": "value", ...} sorted by name; no member order or kernel order gets in.
std::string xattrs_of(const std::string& path) {
  std::vector<char> names(1U << 16U);
  const ssize_t length = llistxattr(path.c_str(), names.data(), names.size());
  if (length < 0) {
    if (errno != ENOTSUP) {
      complain("cannot list xattrs of", path);
    }
    return "{}";
  }
  std::map<std::string, std::string> found;
  for (const char* name = names.data(); name < names.data() + length;
       name += std::strlen(name) + 1) {
    std::vector<char> value(1U << 16U);
    const ssize_t size = lgetxattr(path.c_str(), name, value.data(), value.size());
    if (size < 0) {
      complain("cannot read an xattr of", path);
      continue;
    }
    found[name] = std::string(value.data(), static_cast<std::size_t>(size));
  }
  std::string out = "{";
  for (const auto& [name, value] : found) {
    out += (out.size() > 1 ? ", " : "") + json_string(name) + ": " + json_string(value);
  }
  return out + "}";
}

class Lister {
 public:
  Lister(std::string root, bool one_file_system, std::set<std::string> skip)
      : root_(std::move(root)), one_file_system_(one_file_system), skip_(std::move(skip)) {}

  void list(const std::string& path) {
    const std::string real = root_.empty() && path.empty() ? "/" : root_ + path;
    struct stat info {};
    if (lstat(real.c_str(), &info) != 0) {
      complain("cannot stat", real);
      return;
    }
    if (path.empty()) {
      device_ = info.st_dev;
    }
    print(path.empty() ? "/" : path, real, info);
    if (!S_ISDIR(info.st_mode) || (one_file_system_ && info.st_dev != device_)) {
      return;
    }
    std::error_code error;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(real, error)) {
      names.push_back(entry.path().filename());
    }
    if (error) {
      errno = error.value();
      complain("cannot read directory", real);
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (!skip_.contains(path + "/" + name)) {
        list(path + "/" + name);
      }
    }
  }

 private:
  void print(const std::string& path, const std::string& real, const struct stat& info) {
    std::printf(
        "{\"path\": %s, \"type\": \"%s\", \"mode\": \"%04o\", \"uid\": %u, \"gid\": %u, \"nlink\": "
        "%lu",
        json_string(path).c_str(), type_name(info.st_mode), info.st_mode & 07777U, info.st_uid,
        info.st_gid, static_cast<unsigned long>(info.st_nlink));
    std::printf(", \"mtime\": \"%lld.%09ld\"", static_cast<long long>(info.st_mtim.tv_sec),
                info.st_mtim.tv_nsec);
    if (S_ISREG(info.st_mode)) {
      std::printf(", \"size\": %lld, \"sha256\": \"%s\"", static_cast<long long>(info.st_size),
                  hash_of(real, info.st_size == 0).c_str());
    }
    if (S_ISLNK(info.st_mode)) {
      std::string target(4096, '\0');
      const ssize_t length = readlink(real.c_str(), target.data(), target.size());
      target.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
      std::printf(", \"size\": %lld, \"target\": %s", static_cast<long long>(info.st_size),
                  json_string(target).c_str());
    }
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
      std::printf(", \"device\": \"%u:%u\"", major(info.st_rdev), minor(info.st_rdev));
    }
    if (!S_ISDIR(info.st_mode)) {
      // The first path of an inode names its group.
      const auto [place, is_first] = first_path_.try_emplace({info.st_dev, info.st_ino}, path);
      std::printf(", \"same_as\": %s", json_string(is_first ? path : place->second).c_str());
    }
    std::printf(", \"xattrs\": %s}\n", xattrs_of(real).c_str());
  }

  std::string root_;
  bool one_file_system_;
  std::set<std::string> skip_;
  dev_t device_ = 0;
  std::map<std::pair<dev_t, ino_t>, std::string> first_path_;
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool one_file_system = !arguments.empty() && arguments.front() == "-x";
  if (one_file_system) {
    arguments.erase(arguments.begin());
  }
  if (arguments.empty()) {
    std::fputs("usage: tree_list [-x] ROOT [SKIP...]\n", stderr);
    return 2;
  }
  std::string root = arguments.front();
  while (!root.empty() && root.back() == '/') {
    root.pop_back();
  }
  Lister(root, one_file_system, {arguments.begin() + 1, arguments.end()}).list("");
  return failures == 0 && std::fflush(stdout) == 0 ? 0 : 1;
}
