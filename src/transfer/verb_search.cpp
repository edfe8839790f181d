#include "transfer/registry_access.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {
namespace {

/// Where a term is looked for, and what is looked for there.
struct Place {
  std::string domain;
  std::string term;
};

/// "quay.io/busy" asks one registry, "busy" those of registries.conf.
std::vector<Place> places_of(const registry::RegistriesConf& conf, const std::string& term) {
  std::vector<Place> out;
  const std::size_t slash = term.find('/');
  if (slash != std::string::npos && !registry::is_short_name(term)) {
    out.push_back({term.substr(0, slash), term.substr(slash + 1)});
    return out;
  }
  for (const std::string& domain : conf.search_registries()) {
    out.push_back({domain, term});
  }
  return out;
}

Result<Json> search_images(const SearchOptions& options, RegistryAccess& access) {
  std::vector<std::pair<Place, registry::Endpoint>> asked;
  for (Place& place : places_of(access.conf(), options.term)) {
    registry::Endpoint endpoint = SBX_TRY(access.host(place.domain));
    asked.emplace_back(std::move(place), std::move(endpoint));
  }
  SBX_TRY(access.confine(-1));
  Json rows = Json::array();
  bool complete = true;
  for (const auto& [place, endpoint] : asked) {
    auto client = SBX_TRY(registry::Client::make(endpoint, RegistryAccess::client_options()));
    const registry::SearchResults results =
        SBX_TRY(client.search(place.term, options.limit - rows.size()));
    for (const registry::SearchResult& found : results.found) {
      rows.push_back({{"registry", place.domain},
                      {"name", place.domain + "/" + found.name},
                      {"description", found.description},
                      {"stars", found.stars},
                      {"official", found.official}});
    }
    complete = complete && results.complete;
    if (rows.size() >= options.limit) {
      break;
    }
  }
  return Json{{"found", std::move(rows)}, {"complete", complete}};
}

/// The tags of one repository; of several that a short name may mean, the first that a registry has.
Result<Json> list_tags(const SearchOptions& options, RegistryAccess& access) {
  const auto places = SBX_TRY(access.places(options.term));
  SBX_TRY(access.confine(-1));
  return ask_places(
      places, [&](registry::Client& client, const oci::Reference& reference) -> Result<Json> {
        const registry::Tags tags = SBX_TRY(client.tags(options.limit));
        return Json{
            {"name", reference.repository()}, {"tags", tags.names}, {"complete", tags.complete}};
      });
}

}  // namespace

Result<Json> search(Words words) {
  const SearchOptions options = SBX_TRY(SearchOptions::parse(words));
  RegistryAccess access = SBX_TRY(RegistryAccess::load(options.registry));
  return options.tags ? list_tags(options, access) : search_images(options, access);
}

}  // namespace sbx::transfer
