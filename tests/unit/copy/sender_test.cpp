#include "copy/sender.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "layer/tar_reader.hpp"
#include "sys/file.hpp"
#include "temporary_dir.hpp"

using sbx::copy::Anchor;
using sbx::layer::EntryType;
using sbx::layer::TarEntry;
namespace fs = std::filesystem;

namespace {

sbx::Result<std::vector<TarEntry>> sent(const std::string& path,
                                        const sbx::copy::SendOptions& options = {}) {
  const sbx::sys::Fd fd(::memfd_create("archive", MFD_CLOEXEC));
  sbx::layer::TarWriter writer(fd.get(), "archive");
  SBX_TRY(sbx::copy::send_path(Anchor::host(), path, options, writer));
  SBX_TRY(writer.finish());
  std::string tar(1U << 20U, '\0');
  tar.resize(SBX_TRY(
      sbx::sys::pread_full(fd.get(), std::as_writable_bytes(std::span(tar)), 0, "archive")));
  std::vector<TarEntry> out;
  sbx::layer::TarReader reader([&](const TarEntry& entry) {
    out.push_back(entry);
    return sbx::Result<void>();
  });
  SBX_TRY(reader.feed(std::as_bytes(std::span(tar))));
  return out;
}

std::vector<std::string> paths(const std::vector<TarEntry>& entries) {
  std::vector<std::string> out;
  for (const TarEntry& entry : entries) {
    out.push_back(entry.path);
  }
  return out;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("names begin with what was asked for") {
  const TemporaryDir temporary;
  const std::string top = temporary.path;
  fs::create_directories(top + "/dir/sub");
  std::ofstream(top + "/dir/sub/file") << "x";
  fs::create_symlink("dir", top + "/link");
  CHECK(paths(sent(top + "/dir").value()) == Words{"dir", "dir/sub", "dir/sub/file"});
  CHECK(paths(sent(top + "/dir/").value()) == Words{"dir", "dir/sub", "dir/sub/file"});
  CHECK(paths(sent(top + "/dir/.").value()) == Words{"", "sub", "sub/file"});
  CHECK(sent(top + "/link").value().front().type == EntryType::kSymlink);
  CHECK(paths(sent(top + "/link/").value()) == Words{"link", "link/sub", "link/sub/file"});
  CHECK(paths(sent(top + "/link", {.follow = true}).value()) ==
        Words{"link", "link/sub", "link/sub/file"});
  CHECK(paths(sent(top + "/dir/.", {.bare = true}).value()) == Words{"sub", "sub/file"});
  CHECK(!sent(top + "/dir/sub/file/"));
  CHECK(!sent(top + "/missing"));
}

TEST_CASE("hard links, and what no tar can hold") {
  const TemporaryDir temporary;
  const std::string top = temporary.path + "/d";
  fs::create_directory(top);
  std::ofstream(top + "/a") << "data";
  fs::create_hard_link(top + "/a", top + "/b");
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(static_cast<char*>(address.sun_path), (top + "/s").c_str(),
               sizeof address.sun_path - 1);
  const bool bound =
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  const std::vector<TarEntry> entries = sent(top).value();
  REQUIRE(paths(entries) == Words{"d", "d/a", "d/b"});
  CHECK(fs::exists(top + "/s") == bound);
  CHECK(entries[1].size == 4);
  CHECK(entries[2].type == EntryType::kHardLink);
  CHECK(entries[2].link == "d/a");
}

TEST_CASE("a directory that is left out is there, and nothing of it") {
  const TemporaryDir temporary;
  const std::string top = temporary.path + "/d";
  fs::create_directories(top + "/proc");
  std::ofstream(top + "/proc/file") << "x";
  struct stat st {};
  REQUIRE(::stat((top + "/proc").c_str(), &st) == 0);
  sbx::copy::SendOptions options;
  options.left_out = {{st.st_dev, st.st_ino}};
  CHECK(paths(sent(top, options).value()) == Words{"d", "d/proc"});
  CHECK(paths(sent(top + "/proc", options).value()) == Words{"proc", "proc/file"});
}
