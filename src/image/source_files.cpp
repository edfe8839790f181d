#include "image/source_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "image/join.hpp"
#include "layer/compression.hpp"
#include "layer/tar_path.hpp"
#include "layer/tar_reader.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kMaxMembers = 1U << 16U;  // an image of 512 layers needs some 1500
constexpr int kMaxLinks = 8;
constexpr std::size_t kHeaderReads = 16U << 10U;

Error no_such_file(std::string_view source, std::string_view path) {
  return Error::make(ErrorCode::kNotFound, "read", source,
                     fmt::format("there is no '{}' in it", printable(path)));
}

class DirectoryFiles final : public SourceFiles {
 public:
  DirectoryFiles(sys::Fd dir, std::string name) : dir_(std::move(dir)), name_(std::move(name)) {}

  Result<SourceFile> find(std::string_view path) override {
    Result<sys::Fd> fd =
        sys::open_in_root(dir_.get(), std::string(path), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd) {
      return fail(fd.error().code == ErrorCode::kNotFound ? no_such_file(name_, path)
                                                          : std::move(fd).error());
    }
    const struct stat st = SBX_TRY(sys::stat_fd(fd->get(), path));
    if (!S_ISREG(st.st_mode)) {
      return fail(Error::make(ErrorCode::kCorrupt, "read", path, "it is not a regular file"));
    }
    SourceFile out;
    out.owned = std::move(fd).value();
    out.fd = out.owned.get();
    out.size = static_cast<std::uint64_t>(st.st_size);
    out.name = fmt::format("{}/{}", name_, path);
    return out;
  }

 private:
  sys::Fd dir_;
  std::string name_;
};

class ArchiveFiles final : public SourceFiles {
 public:
  ArchiveFiles(sys::Fd archive, std::string name)
      : archive_(std::move(archive)), name_(std::move(name)) {}

  Result<void> index() {
    const struct stat st = SBX_TRY(sys::stat_fd(archive_.get(), name_));
    SBX_TRY(refuse_compressed());
    const auto size = static_cast<std::uint64_t>(st.st_size);
    layer::TarReader reader([this](const layer::TarEntry& entry) { return add(entry); });
    std::vector<std::byte> buffer(kHeaderReads);
    for (std::uint64_t at = 0; at < size;) {
      if (const std::uint64_t pass = std::min(reader.skippable(), size - at); pass != 0) {
        reader.skip(pass);
        at += pass;
        continue;
      }
      const auto part = std::span(buffer).first(layer::kTarBlock);
      const std::size_t got = SBX_TRY(sys::pread_full(archive_.get(), part, at, name_));
      SBX_TRY(reader.feed(part.first(got))
                  .context(fmt::format("reading archive '{}'", printable(name_))));
      at += got;
      if (got < part.size()) {
        break;
      }
    }
    return reader.finish().context(fmt::format("reading archive '{}'", printable(name_)));
  }

  /// Links inside of the archive are followed: docker and podman write them for layers that repeat.
  Result<SourceFile> find(std::string_view raw) override {
    std::string path = SBX_TRY(layer::clean_tar_path(raw));
    for (int links = 0; links <= kMaxLinks; ++links) {
      const auto it = members_.find(path);
      if (it == members_.end()) {
        return fail(no_such_file(name_, raw));
      }
      const Member& member = it->second;
      if (member.link.empty()) {
        return SourceFile{
            {}, archive_.get(), member.offset, member.size, fmt::format("{}:{}", name_, path)};
      }
      path = member.link;
    }
    return fail(Error::make(ErrorCode::kCorrupt, "read", raw, "too many links in the archive"));
  }

 private:
  struct Member {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::string link;  // another member instead
  };

  Result<void> refuse_compressed() const {
    std::vector<std::byte> head(8);
    const std::size_t got = SBX_TRY(sys::pread_full(archive_.get(), head, 0, name_));
    head.resize(got);
    const Result<layer::Compression> found = layer::sniff_compression(head);
    if (found && *found == layer::Compression::kNone) {
      return {};
    }
    return fail(
        Error::make(ErrorCode::kUnsupported, "read archive", name_, "it is compressed as a whole")
            .with_hint(
                "decompress it first (gunzip, zstd -d, xz -d): its members are read in place"));
  }

  Result<void> add(const layer::TarEntry& entry) {
    if (members_.size() >= kMaxMembers) {
      return fail(Error::make(ErrorCode::kLimit, "read archive", name_,
                              fmt::format("more than {} members", kMaxMembers)));
    }
    if (entry.type == layer::EntryType::kRegular && !entry.sparse) {
      members_[entry.path] = {entry.data_offset, entry.size, {}};
    } else if (entry.type == layer::EntryType::kHardLink) {
      members_[entry.path] = {0, 0, entry.link};
    } else if (entry.type == layer::EntryType::kSymlink) {
      members_[entry.path] = {0, 0, link_target(entry)};
    }
    return {};
  }

  /// "../<id>/layer.tar" as seen from where the link stands. What leads out of the archive names no member.
  static std::string link_target(const layer::TarEntry& entry) {
    std::vector<std::string> parts;
    const auto walk = [&](std::string_view path) {
      while (!path.empty()) {
        const std::string_view part = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(part.size() + 1, path.size()));
        if (part == ".." && !parts.empty()) {
          parts.pop_back();
        } else if (!part.empty() && part != "." && part != "..") {
          parts.emplace_back(part);
        }
      }
    };
    walk(entry.path);
    parts.pop_back();
    walk(entry.link);
    return join(parts, "/");
  }

  sys::Fd archive_;
  std::string name_;
  std::map<std::string, Member> members_;
};

}  // namespace

Result<std::string> SourceFiles::read(std::string_view path, std::size_t max) {
  const SourceFile file = SBX_TRY(find(path));
  if (file.size > max) {
    return fail(Error::make(ErrorCode::kLimit, "read", file.name,
                            fmt::format("it is larger than {} bytes", max)));
  }
  std::string data(file.size, '\0');
  const auto bytes = std::as_writable_bytes(std::span(data));
  if (SBX_TRY(sys::pread_full(file.fd, bytes, file.offset, file.name)) != data.size()) {
    return fail(
        Error::make(ErrorCode::kCorrupt, "read", file.name, "it is shorter than it should be"));
  }
  return data;
}

std::unique_ptr<SourceFiles> directory_files(sys::Fd dir, std::string name) {
  return std::make_unique<DirectoryFiles>(std::move(dir), std::move(name));
}

Result<std::unique_ptr<SourceFiles>> archive_files(sys::Fd archive, std::string name) {
  auto files = std::make_unique<ArchiveFiles>(std::move(archive), std::move(name));
  SBX_TRY(files->index());
  return std::unique_ptr<SourceFiles>(std::move(files));
}

}  // namespace sbx::image
