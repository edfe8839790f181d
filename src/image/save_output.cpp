#include "image/save_output.hpp"

#include <fcntl.h>

#include <utility>

#include "layer/archive_writer.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

class ArchiveOutput final : public SaveOutput {
 public:
  explicit ArchiveOutput(layer::ArchiveWriter writer) : writer_(std::move(writer)) {}
  Result<void> begin(const std::string& path, std::uint64_t size) override {
    return writer_.begin(path, size);
  }
  Result<void> write(std::span<const std::byte> data) override { return writer_.write(data); }
  Result<void> finish() override { return writer_.finish(); }

 private:
  layer::ArchiveWriter writer_;
};

class DirectoryOutput final : public SaveOutput {
 public:
  explicit DirectoryOutput(int dir) : dir_(dir) {}

  Result<void> begin(const std::string& path, std::uint64_t /*size*/) override {
    SBX_TRY(finish());
    file_ = SBX_TRY(sys::open_at(dir_, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666));
    path_ = path;
    return {};
  }
  Result<void> write(std::span<const std::byte> data) override {
    return sys::write_full(file_.get(), data, path_);
  }
  Result<void> finish() override {
    if (file_) {
      SBX_TRY(sys::sync_fd(file_.get(), path_));
      file_.reset();
    }
    return {};
  }

 private:
  int dir_;
  sys::Fd file_;
  std::string path_;
};

}  // namespace

Result<void> SaveOutput::add(const std::string& path, std::string_view data) {
  SBX_TRY(begin(path, data.size()));
  return write(std::as_bytes(std::span(data)));
}

Result<std::unique_ptr<SaveOutput>> archive_output(int fd, const std::string& name, bool layout) {
  layer::ArchiveWriter writer = SBX_TRY(layer::ArchiveWriter::open(fd, name));
  if (layout) {
    SBX_TRY(writer.add_directory("blobs/"));
    SBX_TRY(writer.add_directory("blobs/sha256/"));
  }
  return std::unique_ptr<SaveOutput>(std::make_unique<ArchiveOutput>(std::move(writer)));
}

Result<std::unique_ptr<SaveOutput>> directory_output(int dir) {
  SBX_TRY(sys::make_dir_at(dir, "blobs", 0777));
  SBX_TRY(sys::make_dir_at(dir, "blobs/sha256", 0777));
  return std::unique_ptr<SaveOutput>(std::make_unique<DirectoryOutput>(dir));
}

}  // namespace sbx::image
