#include "image/pusher.hpp"
#include "store/store.hpp"
#include "transfer/progress.hpp"
#include "transfer/registry_access.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {

Result<Json> push(Words words) {
  const PushOptions options = SBX_TRY(PushOptions::parse(words));
  image::PushRequest request;
  request.root = options.root;
  request.additional = options.stores;
  request.image = options.image;
  request.destination = SBX_TRY(oci::Reference::parse(options.destination));
  request.compression = options.compression;
  request.docker_manifest = options.docker_manifest;
  request.client = RegistryAccess::client_options();
  ProgressPrinter printer;
  request.progress = printer.callback(options.progress);
  RegistryAccess access = SBX_TRY(RegistryAccess::load(options.registry));
  request.endpoint =
      SBX_TRY(access.endpoints(request.destination, RegistryAccess::For::kPush)).front();
  const store::Store store =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(access.confine(store.dir(), options.stores));
  const image::PushedImage pushed = SBX_TRY(image::push_image(request));
  Json answer{{"manifest", pushed.manifest.str()},
              {"reference", request.destination.str()},
              {"size", pushed.size},
              {"layers",
               {{"there", pushed.layers_there},
                {"mounted", pushed.layers_mounted},
                {"sent", pushed.layers_sent},
                {"bytes_sent", pushed.bytes_sent}}}};
  if (pushed.source) {
    answer["source"] = pushed.source->str();
  }
  return answer;
}

}  // namespace sbx::transfer
