#include "runtime/root_source.hpp"

#include "overlay/core/lower_dir.hpp"
#include "overlay/core/lower_tree.hpp"
#include "runtime/image_source.hpp"
#include "runtime/squash_source.hpp"
#include "runtime/transfer.hpp"
#include "sys/file.hpp"
#include "sys/file_identity.hpp"

namespace sbx::runtime {
namespace {

// passwd files of large sites; more is not a passwd file.
constexpr std::size_t kSmallFileMax = std::size_t{8} << 20U;
constexpr std::string_view kDirectoryPrefix = "dir:";
constexpr std::string_view kHost = "host";

}  // namespace

Result<RootSource> RootSource::open_directory(Kind kind, const std::string& path) {
  RootSource source;
  source.kind_ = kind;
  source.directory_ = SBX_TRY(sys::open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY));
  return source;
}

Result<RootSource> RootSource::open(const RunRequest& request, const std::string& data_root) {
  const bool tree = request.image == kHost || request.image.starts_with(kDirectoryPrefix);
  if (tree && !request.platform.empty()) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "use --platform with", request.image,
                            "a directory tree has no platform to choose from"));
  }
  const bool fetch = request.pull == PullPolicy::kAlways || request.pull == PullPolicy::kNewer;
  const bool squash = is_squash_source(request.image);
  if (fetch && (tree || squash || is_image_source(request.image))) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "use --pull=always or newer with",
                            request.image, "it does not come from a registry"));
  }
  if (request.image == kHost) {
    return open_directory(Kind::kHost, "/");
  }
  if (request.image.starts_with(kDirectoryPrefix)) {
    return open_directory(Kind::kDirectory, request.image.substr(kDirectoryPrefix.size()));
  }
  RootSource source;
  if (squash) {
    OpenedSquash opened = SBX_TRY(open_squash(request, data_root));
    source.defaults_ = std::move(opened.defaults);
    source.accounts_ = std::move(opened.accounts);
    source.tree_.emplace(std::move(opened.tree));
    source.layers_.push_back(std::move(opened.file));
    return source;
  }
  OpenedImage image = SBX_TRY(open_image(request, data_root));
  source.defaults_ = std::move(image.defaults);
  source.image_id_ = std::move(image.id);
  source.tree_.emplace(std::move(image.tree));
  source.layers_ = std::move(image.layers);
  return source;
}

std::string RootSource::read_small_file(const std::string& path) const {
  if (kind_ == Kind::kImage) {
    const layer::TreeIno ino = tree_->resolve(path);
    return ino == layer::kNoInode ? std::string()
                                  : tree_->read_file(ino, layers_, kSmallFileMax).value_or("");
  }
  const Result<sys::Fd> file =
      sys::open_in_root(directory_.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) {
    return {};
  }
  const Result<struct stat> st = sys::stat_fd(file->get(), path);
  return st && S_ISREG(st->st_mode) ? sys::read_fd(file->get(), kSmallFileMax, path).value_or("")
                                    : std::string();
}

AccountFiles RootSource::accounts() const {
  return accounts_ ? *accounts_
                   : AccountFiles{read_small_file("/etc/passwd"), read_small_file("/etc/group")};
}

sandbox::KernelOverlay RootSource::root_attributes() const {
  sandbox::KernelOverlay out;
  if (const std::optional<layer::TreeInode> root = tree_->inode(layer::kTreeRoot)) {
    out.mode = root->mode & 07777;
    out.uid = root->uid;
    out.gid = root->gid;
    out.modified = {root->mtime_sec, static_cast<long>(root->mtime_nsec)};
  }
  return out;
}

Result<std::string> RootSource::identity() const {
  std::string text = chain();
  for (const sys::Fd& layer : layers_) {
    text += " " + SBX_TRY(sys::identity_of(layer.get(), "layer"));
  }
  return text;
}

std::optional<bool> RootSource::is_executable(const std::string& path) const {
  if (kind_ != Kind::kImage) {
    return std::nullopt;  // a lookup here costs as much as the one that execve does
  }
  const std::optional<layer::TreeInode> inode = tree_->inode(tree_->resolve(path));
  return inode && S_ISREG(inode->mode) && (inode->mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

std::optional<RootSource::Directory> RootSource::look_at_directory(const std::string& path) const {
  if (kind_ == Kind::kImage) {
    const layer::TreeIno ino = tree_->resolve(path);
    const std::optional<layer::TreeInode> inode = tree_->inode(ino);
    if (!inode || !S_ISDIR(inode->mode)) {
      return std::nullopt;
    }
    return Directory{inode->mode & 07777, inode->uid, inode->gid, tree_->entry_count(ino) == 0};
  }
  if (kind_ == Kind::kHost) {
    return std::nullopt;
  }
  const Result<sys::Fd> found =
      sys::open_in_root(directory_.get(), path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  const Result<struct stat> st = found ? sys::stat_fd(found->get(), path) : fail(found.error());
  if (!st) {
    return std::nullopt;
  }
  const Result<std::vector<std::string>> names = sys::list_dir(found->get(), ".");
  return Directory{st->st_mode & 07777, st->st_uid, st->st_gid, names && names->empty()};
}

Result<std::unique_ptr<overlay::Lower>> RootSource::take_lower() {
  if (kind_ == Kind::kImage) {
    std::unique_ptr<overlay::LowerTree> tree =
        SBX_TRY(overlay::LowerTree::make(take_tree(), take_layers()));
    SBX_TRY(tree->prepare());
    return std::unique_ptr<overlay::Lower>(std::move(tree));
  }
  return std::unique_ptr<overlay::Lower>(
      SBX_TRY(overlay::LowerDir::make(take_directory(), overlay::LowerDir::Options())));
}

}  // namespace sbx::runtime
