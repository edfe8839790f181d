#include "copy/receiver.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "copy/rebase.hpp"
#include "copy/tree_writer.hpp"
#include "layer/tar_reader.hpp"
#include "sys/at.hpp"
#include "sys/file.hpp"
#include "sys/splice.hpp"

namespace sbx::copy {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{128} << 10U;

/// The bytes of the archive: some have been read, the rest is still in the pipe.
class Stream {
 public:
  explicit Stream(int fd) : fd_(fd), buffer_(kBufferBytes) {}

  /// Up to `size` bytes, at least one; empty at the end.
  Result<std::span<const std::byte>> take(std::uint64_t size) {
    if (begin_ == end_) {
      begin_ = 0;
      end_ = SBX_TRY(sys::read_available(fd_, buffer_, kName));
    }
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - begin_));
    const auto out = std::span<const std::byte>(buffer_).subspan(begin_, count);
    begin_ += count;
    return out;
  }

  /// Exactly `size` bytes into a file, at its position.
  Result<void> move_to(int out, std::uint64_t size, const std::string& name) {
    while (size > 0) {
      if (begin_ == end_ && splices_ && size >= kBufferBytes) {
        const FsResult<std::size_t> moved = sys::splice_from_pipe(fd_, out, size);
        if (moved && *moved > 0) {
          size -= *moved;
          continue;
        }
        if (!moved && moved.error() != Errno(EINVAL)) {
          return fail(Error::system("write", name, moved.error().value()));
        }
        splices_ = false;
        continue;
      }
      const std::span<const std::byte> piece = SBX_TRY(take(size));
      if (piece.empty()) {
        return fail(cut_off());
      }
      SBX_TRY(sys::write_full(out, piece, name));
      size -= piece.size();
    }
    return {};
  }

  Result<void> pass(std::uint64_t size) {
    while (size > 0) {
      const std::size_t got = SBX_TRY(take(size)).size();
      if (got == 0) {
        return fail(cut_off());
      }
      size -= got;
    }
    return {};
  }

  static Error cut_off() {
    return Error::make(ErrorCode::kCorrupt, "read", kName, "it ends within a file");
  }

 private:
  static constexpr const char* kName = "the archive";
  int fd_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool splices_ = true;
};

/// Nothing is loaded here, so no decompressor.
Result<void> refuse_compressed(std::span<const std::byte> begin) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMagics{
      {{"\x1f\x8b", "zcat"},
       {"\x28\xb5\x2f\xfd", "zstdcat"},
       {"\xfd"
        "7zXZ",
        "xzcat"},
       {"BZh", "bzcat"}}};
  const std::string_view text(reinterpret_cast<const char*>(begin.data()), begin.size());
  for (const auto& [magic, program] : kMagics) {
    if (text.starts_with(magic)) {
      return fail(Error::make(ErrorCode::kUnsupported, "read", "the archive", "it is compressed")
                      .with_hint(fmt::format("{} FILE | sbx cp - CONTAINER:PATH", program)));
    }
  }
  return {};
}

class Receiver {
 public:
  Receiver(int fd, const Anchor& anchor, const std::string& path, const ReceiveOptions& options)
      : stream_(fd), anchor_(anchor), path_(path), options_(options) {}

  Result<void> run() {
    SBX_TRY(find_target());
    bool first = true;
    layer::TarReader reader([this](const layer::TarEntry& entry) { return on_entry(entry); });
    for (;;) {
      if (const std::uint64_t data = reader.skippable(); data == UINT64_MAX) {
        break;
      } else if (data != 0) {
        SBX_TRY(take_data(data));
        reader.skip(data);
        continue;
      }
      if (writer_ && writer_->data() >= 0) {
        SBX_TRY(writer_->end_file());  // an empty one
      }
      const std::span<const std::byte> block = SBX_TRY(stream_.take(layer::kTarBlock));
      if (block.empty()) {
        SBX_TRY(reader.finish());
        break;
      }
      if (std::exchange(first, false)) {
        SBX_TRY(refuse_compressed(block));
      }
      SBX_TRY(reader.feed(block));
    }
    if (writer_) {
      SBX_TRY(writer_->finish());
    }
    // Who writes shall not die of what follows the end.
    while (!SBX_TRY(stream_.take(kBufferBytes)).empty()) {
    }
    return {};
  }

 private:
  Result<void> find_target() {
    Result<sys::Fd> directory = anchor_.open(path_, O_PATH | O_DIRECTORY);
    if (directory) {
      target_ = std::move(directory).value();
      return {};
    }
    const int why = directory.error().sys_errno;
    if (why != ENOENT && why != ENOTDIR) {
      return fail(Error::system("copy to", path_, why));
    }
    if (options_.into_directory) {
      return fail(Error::system("extract into", path_, why)
                      .with_hint("an archive needs a directory that is there"));
    }
    Result<Place> place = find_place(anchor_, path_);
    if (!place) {
      return fail(place.error().sys_errno == ENOENT
                      ? Error::make(ErrorCode::kNotFound, "copy to", path_,
                                    "the directory that it should lie in is not there")
                      : std::move(place).error());
    }
    place_ = std::move(place).value();
    return {};
  }

  /// The first member tells whether a file or a directory comes, and so where it goes.
  Result<void> begin(const layer::TarEntry& first) {
    if (target_) {
      sys::Fd root = SBX_TRY(anchor_.open(path_, O_RDONLY | O_DIRECTORY));
      writer_.emplace(std::move(root), path_, options_);
      return {};
    }
    const bool directory = first.type == layer::EntryType::kDirectory;
    if (place_->found && (directory || names_directory(path_))) {
      return fail(directory ? Error::make(ErrorCode::kInvalidArgument, "copy a directory to", path_,
                                          "it is a file")
                            : Error::system("copy to", path_, ENOTDIR));
    }
    if (!place_->found && !directory && names_directory(path_)) {
      return fail(Error::make(ErrorCode::kNotFound, "copy to", path_,
                              "a directory is meant, and it is not there"));
    }
    rebase_ = {first.path, place_->name};
    sys::Fd root = SBX_TRY(sys::open_at(place_->dir.get(), ".", O_RDONLY | O_DIRECTORY));
    const std::size_t slash = path_.find_last_of('/', path_.find_last_not_of('/'));
    std::string shown = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    writer_.emplace(std::move(root), std::move(shown), options_);
    return {};
  }

  Result<void> on_entry(const layer::TarEntry& given) {
    if (!writer_) {
      SBX_TRY(begin(given));
      top_ = options_.into_directory ? "" : given.path;
    }
    const bool below = top_.empty() || given.path == top_ || given.path.starts_with(top_ + "/");
    if (!below) {
      return fail(Error::make(ErrorCode::kCorrupt, "copy", given.path,
                              "it does not lie in what was asked for"));
    }
    layer::TarEntry entry = given;
    if (entry.type == layer::EntryType::kHardLink) {
      entry.link = rebased(rebase_, entry.link);
    }
    if (writer_->data() >= 0) {
      SBX_TRY(writer_->end_file());
    }
    SBX_TRY(writer_->add(entry, rebased(rebase_, entry.path)));
    entry_ = std::move(entry);
    return {};
  }

  /// `stored`: with its padding.
  Result<void> take_data(std::uint64_t stored) {
    if (!writer_ || writer_->data() < 0) {
      return stream_.pass(stored);
    }
    const int out = writer_->data();
    const std::string name = writer_->file_name();
    std::uint64_t used = 0;
    if (!entry_.sparse) {
      SBX_TRY(stream_.move_to(out, entry_.size, name));
      used = entry_.size;
    }
    for (const layer::ImageTree::Extent& extent : entry_.extents) {
      if (const auto moved = sys::at::seek(out, extent.file_offset, SEEK_SET); !moved) {
        return fail(Error::system("write", name, moved.error().value()));
      }
      SBX_TRY(stream_.move_to(out, extent.length, name));
      used += extent.length;
    }
    SBX_TRY(stream_.pass(stored - used));
    return writer_->end_file();
  }

  Stream stream_;
  const Anchor& anchor_;
  const std::string& path_;
  const ReceiveOptions& options_;
  sys::Fd target_;              // a directory; else
  std::optional<Place> place_;  // what will be made
  Rebase rebase_;
  std::string top_;  // what all members must lie in; empty: anything
  std::optional<TreeWriter> writer_;
  layer::TarEntry entry_;  // the last one
};

}  // namespace

Result<void> receive(int fd, const Anchor& anchor, const std::string& path,
                     const ReceiveOptions& options) {
  return Receiver(fd, anchor, path, options).run();
}

}  // namespace sbx::copy
