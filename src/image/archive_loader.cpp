#include "image/archive_loader.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "image/source_files.hpp"
#include "image/source_image.hpp"
#include "image/spool.hpp"
#include "store/gc.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

Result<std::unique_ptr<SourceFiles>> open_files(ArchiveRequest& request, store::Staging& staging) {
  const struct stat st = SBX_TRY(sys::stat_fd(request.source.get(), request.name));
  if (S_ISDIR(st.st_mode)) {
    return directory_files(std::move(request.source), request.name);
  }
  sys::Fd file = SBX_TRY(seekable(std::move(request.source), staging, request.name));
  const struct stat whole = SBX_TRY(sys::stat_fd(file.get(), request.name));
  if (whole.st_size == 0) {
    return fail(Error::make(ErrorCode::kCorrupt, "load images from", request.name, "it is empty"));
  }
  return archive_files(
      SBX_TRY(uncompressed(std::move(file), staging, request.limits, request.name)), request.name);
}

/// By what lies in it. docker writes both since version 25: then the layout, which has a digest for everything.
Result<Transport> find_out(SourceFiles& files, const std::string& name) {
  if (files.find("oci-layout") && files.find("index.json")) {
    return Transport::kOciArchive;
  }
  if (files.find("manifest.json")) {
    return Transport::kDockerArchive;
  }
  return fail(Error::make(ErrorCode::kCorrupt, "load images from", name,
                          "it has neither index.json and oci-layout nor manifest.json")
                  .with_hint("'sbx import' makes an image of a root file system in a tar"));
}

}  // namespace

Result<std::vector<LoadedImage>> load_archive(ArchiveRequest request) {
  const store::Store store =
      SBX_TRY(store::Store::open(request.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(store::clean_leftovers(store));
  store::Staging staging = SBX_TRY(store::Staging::open(store));
  const std::unique_ptr<SourceFiles> files = SBX_TRY(open_files(request, staging));
  LoadRequest load;
  load.root = request.root;
  load.platform = request.platform;
  load.tree_limits = request.tree_limits;
  load.layer_limits = request.limits;
  load.progress = request.progress;
  load.source.transport = SBX_TRY(find_out(*files, request.name));
  load.source.path = request.name;
  const std::vector<ListedImage> listed =
      load.source.transport == Transport::kDockerArchive
          ? SBX_TRY(list_docker_archive(*files))
          : SBX_TRY(list_oci_layout(*files, repository_of_path(request.name)));
  if (listed.empty()) {
    return fail(Error::make(ErrorCode::kNotFound, "load images from", request.name,
                            "there are no images in it"));
  }
  if (!request.tags.empty() && listed.size() > 1) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "load images from", request.name,
                            "it has several images, which cannot have one name"));
  }
  std::vector<LoadedImage> out;
  for (const ListedImage& image : listed) {
    load.source.ref = image.ref;
    load.tags = request.tags.empty() ? image.names : request.tags;
    out.push_back(SBX_TRY(load_from(load, store, *files)));
  }
  return out;
}

}  // namespace sbx::image
