// registry_probe HOST REPOSITORY COMMAND [ARGUMENT]...: one request of src/registry, for the tests in
// tests/integration/registry. Prints one JSON object: "result" or "error", the "log" of answers and the "waits" before
// tries, which are not slept. Environment: PROBE_INSECURE=1, PROBE_LOGIN=USER:PASSWORD, PROBE_TOKEN (identity token),
// PROBE_CA (a file), PROBE_SLOW_MS (window of the speed limit), PROBE_PAUSE_MS (between reads), PROBE_STOP=1,
// PROBE_LANDLOCK=1, PROBE_PROXY (for the *_proxy variables).
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error_json.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"
#include "registry/client.hpp"
#include "sys/file.hpp"
#include "sys/landlock.hpp"
#include "sys/raw.hpp"
#include "sys/xdg.hpp"

namespace sbx::registry {
namespace {

using Arguments = std::vector<std::string>;

Result<Json> manifest_command(Client& client, const Arguments& arguments) {
  const Manifest manifest = SBX_TRY(client.manifest(arguments.at(0), manifest_types()));
  return Json{{"digest", manifest.digest.str()},
              {"type", manifest.media_type},
              {"size", manifest.bytes.size()}};
}

Result<Json> head_command(Client& client, const Arguments& arguments) {
  return Json{{"digest", SBX_TRY(client.head_manifest(arguments.at(0), manifest_types())).str()}};
}

/// blob DIGEST SIZE [OFFSET]: says the hash and size of what came.
Result<Json> blob_command(Client& client, const Arguments& arguments) {
  const oci::Digest digest = SBX_TRY(oci::Digest::parse(arguments.at(0)));
  const std::uint64_t offset = arguments.size() > 2 ? std::stoull(arguments[2]) : 0;
  const auto stream = SBX_TRY(client.open_blob(digest, std::stoull(arguments.at(1)), offset));
  Sha256 hash;
  std::uint64_t size = 0;
  std::vector<std::byte> piece(std::size_t{256} << 10U);
  const std::string pause = sys::environment("PROBE_PAUSE_MS");
  while (const std::size_t got = SBX_TRY(stream->read(piece))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(pause.empty() ? 0 : std::stoi(pause)));
    hash.update(std::span(piece).first(got));
    size += got;
  }
  return Json{{"sha256", hash.finish_hex()}, {"size", size}};
}

/// threads COUNT DIGEST SIZE: as many clients in as many threads read one blob; they share what they learn.
Result<Json> threads_command(Client& client, const Arguments& arguments) {
  ClientOptions options;
  options.memory = std::make_shared<HostMemory>();
  std::mutex mutex;
  std::map<std::string, int> seen;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < std::stoi(arguments.at(0)); ++i) {
      threads.emplace_back([&] {
        Result<Client> mine = Client::make(client.endpoint(), options);
        const Result<Json> read = mine ? blob_command(*mine, {arguments.at(1), arguments.at(2)})
                                       : Result<Json>(fail(mine.error()));
        const std::lock_guard lock(mutex);
        ++seen[read ? (*read)["sha256"].get<std::string>() : read.error().message()];
      });
    }
  }
  return Json(seen);
}

Result<Json> has_command(Client& client, const Arguments& arguments) {
  const oci::Digest digest = SBX_TRY(oci::Digest::parse(arguments.at(0)));
  return Json{{"has", SBX_TRY(client.has_blob(digest, std::stoull(arguments.at(1))))}};
}

/// upload FILE: its digest.
Result<Json> upload_command(Client& client, const Arguments& arguments) {
  const std::string content =
      SBX_TRY(sys::read_file_at(AT_FDCWD, arguments.at(0), std::size_t{1} << 30U));
  const auto bytes = std::as_bytes(std::span(content));
  Sha256 hash;
  hash.update(bytes);
  const oci::Digest digest(hash.finish());
  SBX_TRY(client.upload_blob(
      digest, content.size(),
      [bytes](std::uint64_t offset, std::span<std::byte> data) -> Result<std::size_t> {
        const auto rest = bytes.subspan(offset, std::min(data.size(), bytes.size() - offset));
        std::copy(rest.begin(), rest.end(), data.begin());
        return rest.size();
      }));
  return Json(digest.str());
}

/// mount DIGEST FROM [FILE]: and what to do if it is not mounted.
Result<Json> mount_command(Client& client, const Arguments& arguments) {
  const oci::Digest digest = SBX_TRY(oci::Digest::parse(arguments.at(0)));
  const bool mounted = SBX_TRY(client.mount_blob(digest, arguments.at(1)));
  if (!mounted && arguments.size() > 2) {
    (void)SBX_TRY(upload_command(client, {arguments[2]}));
  }
  return Json{{"mounted", mounted}};
}

Result<Json> put_command(Client& client, const Arguments& arguments) {
  const std::string content =
      SBX_TRY(sys::read_file_at(AT_FDCWD, arguments.at(1), std::size_t{8} << 20U));
  return Json(SBX_TRY(client.put_manifest(arguments.at(0), content, arguments.at(2))).str());
}

Result<Json> tags_command(Client& client, const Arguments& arguments) {
  const Tags tags = SBX_TRY(client.tags(std::stoul(arguments.at(0))));
  return Json{{"tags", tags.names}, {"complete", tags.complete}};
}

Result<Json> search_command(Client& client, const Arguments& arguments) {
  const SearchResults results =
      SBX_TRY(client.search(arguments.at(0), std::stoul(arguments.at(1))));
  Json found = Json::array();
  for (const SearchResult& each : results.found) {
    found.push_back({each.name, each.description, each.stars, each.official});
  }
  return Json{{"found", found}, {"complete", results.complete}};
}

Result<Json> referrers_command(Client& client, const Arguments& arguments) {
  Json found = Json::array();
  for (const oci::Descriptor& each :
       SBX_TRY(client.referrers(SBX_TRY(oci::Digest::parse(arguments.at(0)))))) {
    found.push_back(each.digest.str());
  }
  return found;
}

Result<Json> ping_command(Client& client, const Arguments&) {
  SBX_TRY(client.ping());
  return Json(true);
}

/// As sbx-transfer does before the first byte.
Result<void> confine() {
  prepare_http();
  FsResult<sys::Landlock> rules = sys::Landlock::create(sys::LandlockNetwork::kUntouched);
  if (!rules || sys::raw::set_no_new_privs() != 0) {
    return fail(Error::make(ErrorCode::kUnsupported, "use", "Landlock", "this kernel has none"));
  }
  for (const std::string& path : files_needed()) {
    const sys::Fd file = SBX_TRY(sys::open_at(AT_FDCWD, path, O_PATH));
    if (!rules->allow_below(file.get(), sys::LandlockAccess::kRead)) {
      return fail(Error::system("allow", path));
    }
  }
  return rules->enforce() ? Result<void>() : fail(Error::system("enforce", "Landlock"));
}

Endpoint endpoint_of(const std::string& host, const std::string& repository) {
  Endpoint endpoint{.host = host, .repository = repository};
  endpoint.insecure = sys::environment("PROBE_INSECURE") == "1";
  if (const std::string login = sys::environment("PROBE_LOGIN"); !login.empty()) {
    endpoint.credentials = {login.substr(0, login.find(':')), login.substr(login.find(':') + 1),
                            ""};
  }
  if (const std::string token = sys::environment("PROBE_TOKEN"); !token.empty()) {
    endpoint.credentials = {"", "", token};
  }
  if (const std::string ca = sys::environment("PROBE_CA"); !ca.empty()) {
    endpoint.tls.ca_files = {ca};
  }
  return endpoint;
}

Result<Json> run(const Arguments& words, Json& log, Json& waits) {
  ClientOptions options;
  options.log = [&log](std::string_view line) { log.push_back(std::string(line)); };
  options.sleep = [&waits](std::chrono::milliseconds time) {
    waits.push_back(time.count());
    return true;
  };
  if (const std::string slow = sys::environment("PROBE_SLOW_MS"); !slow.empty()) {
    options.limits.low_speed = options.limits.headers = std::chrono::milliseconds(std::stoi(slow));
  }
  if (sys::environment("PROBE_STOP") == "1") {
    options.stop = [] { return true; };
  }
  Client client = SBX_TRY(Client::make(endpoint_of(words.at(0), words.at(1)), std::move(options)));
  if (sys::environment("PROBE_LANDLOCK") == "1") {
    SBX_TRY(confine());
  }
  using Command = Result<Json> (*)(Client&, const Arguments&);
  static const std::map<std::string, Command> kCommands = {
      {"manifest", manifest_command}, {"head", head_command},
      {"blob", blob_command},         {"has", has_command},
      {"threads", threads_command},   {"ping", ping_command},
      {"upload", upload_command},     {"mount", mount_command},
      {"put", put_command},           {"tags", tags_command},
      {"search", search_command},     {"referrers", referrers_command}};
  return kCommands.at(words.at(2))(client, Arguments(words.begin() + 3, words.end()));
}

}  // namespace
}  // namespace sbx::registry

int main(int argc, char** argv) {
  sbx::Json out = {{"log", sbx::Json::array()}, {"waits", sbx::Json::array()}};
  const auto result = sbx::registry::run({argv + 1, argv + argc}, out["log"], out["waits"]);
  if (result) {
    out["result"] = *result;
  } else {
    out["error"] = sbx::error_to_json(result.error());
    out["message"] = result.error().message();
  }
  std::puts(sbx::dump_json(out).c_str());
  return result ? 0 : 1;
}
