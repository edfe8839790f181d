#include "image/squash_saver.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "base/log.hpp"
#include "base/sha256.hpp"
#include "image/source_image.hpp"
#include "layer/byte_source.hpp"
#include "layer/ingest.hpp"
#include "layer/squash_writer.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kCopyBytes = 256U << 10U;
constexpr unsigned kMostThreads = 8;  // each holds some blocks

std::string shell_word(std::string_view word) {
  std::string out = "'";
  for (const char c : word) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

std::string shell_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    out += shell_word(word) + " ";
  }
  return out;
}

/// As `enroot import` writes it, but for /etc/rc.local, which is the user's.
std::string run_script(const oci::ImageConfig& config) {
  const std::string directory = shell_word(config.working_dir.empty() ? "/" : config.working_dir);
  const std::string entry = shell_words(config.entrypoint);
  const std::string command =
      entry.empty() && config.cmd.empty() ? "/bin/sh" : shell_words(config.cmd);
  return fmt::format(
      "mkdir -p {0} 2> /dev/null\ncd {0} && unset OLDPWD || exit 1\n\n"
      "if [ $# -gt 0 ]; then\n    exec {1}\"$@\"\nelse\n    exec {1}{2}\nfi\n",
      directory, entry, command);
}

std::string environment(const oci::ImageConfig& config) {
  std::string out;
  for (const std::string& variable : config.env) {
    if (variable.find('\n') != std::string::npos) {
      log::warn("'{}' has several lines, which /etc/environment cannot hold, ignoring",
                printable(variable));
    } else {
      out += variable + "\n";
    }
  }
  return out;
}

std::vector<layer::SquashWriting::Extra> extras(const layer::ImageTree& tree,
                                                const oci::ImageConfig& config) {
  const layer::TreeIno etc = tree.resolve("/etc");
  const auto inode = tree.inode(etc);
  if (!inode || !S_ISDIR(inode->mode) || tree.resolve("/bin/sh") == layer::kNoInode) {
    return {};
  }
  return {{etc, "rc", run_script(config)}, {etc, "environment", environment(config)}};
}

/// Every byte of it, before the tree's word is taken for where they are.
Result<void> check_layer(int fd, std::uint64_t size, const oci::DiffId& wanted) {
  layer::FileSource source(fd, 0, size, wanted.str());
  std::vector<std::byte> buffer(kCopyBytes);
  Sha256 hash;
  while (const std::size_t got = SBX_TRY(source.read(buffer))) {
    hash.update(std::span(buffer).first(got));
  }
  const oci::Digest got(hash.finish());
  if (got.bytes() == wanted.bytes()) {
    return {};
  }
  return fail(layer::wrong_digest("a layer of the store", wanted.str(), got.str())
                  .with_hint("'sbx system check --repair' puts damaged files aside"));
}

/// A squashfs is written here and there and read again: not to a pipe, nor to what is open for writing only.
bool can_write_directly(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 &&
         (::fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)) == O_RDWR;
}

Result<void> copy_out(int from, const SaveRequest& request) {
  const auto size =
      static_cast<std::uint64_t>(SBX_TRY(sys::stat_fd(from, request.output_name)).st_size);
  layer::FileSource source(from, 0, size, request.output_name);
  std::vector<std::byte> buffer(kCopyBytes);
  while (const std::size_t got = SBX_TRY(source.read(buffer))) {
    SBX_TRY(sys::write_full(request.output, std::span(buffer).first(got), request.output_name));
  }
  return {};
}

}  // namespace

Result<void> save_squash(const SaveRequest& request) {
  if (request.images.size() != 1) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "save images", "", "a squashfs holds one image"));
  }
  const store::Store store =
      SBX_TRY(store::Store::open(request.root + "/store", store::Store::Access::kWrite));
  store::Staging staging = SBX_TRY(store::Staging::open(store));
  const ImageStore images = SBX_TRY(ImageStore::open(request.root, request.additional));
  const auto [image, files] = SBX_TRY(images.find_and_open(request.images.front()));
  SBX_TRY(files.tree.verify());
  for (std::size_t i = 0; i < files.layers.size(); ++i) {
    SBX_TRY(check_layer(files.layers[i].get(), image.layer_sizes[i], image.config.diff_ids[i]));
  }
  layer::SquashWriting writing;
  writing.compression = request.compression;
  writing.threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
  writing.extras = extras(files.tree, image.config);
  if (can_write_directly(request.output)) {
    return layer::write_squash(files.tree, files.layers, writing, request.output,
                               request.output_name);
  }
  const sys::Fd file = SBX_TRY(staging.create_unnamed());
  SBX_TRY(layer::write_squash(files.tree, files.layers, writing, file.get(), request.output_name));
  return copy_out(file.get(), request);
}

}  // namespace sbx::image
