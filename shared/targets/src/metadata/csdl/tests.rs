use std::collections::BTreeSet;

use super::*;

/// In the manner of Dataverse: a base type without a set, an alias, complex types in between.
const CRM: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">
  <EntityType Name="crmbaseentity" Abstract="true" />
  <EntityType Name="principal" BaseType="mscrm.crmbaseentity"><Property Name="ownerid" Type="Edm.Guid"/></EntityType>
  <EntityType Name="account" BaseType="mscrm.principal">
    <Key><PropertyRef Name="accountid" /></Key>
    <Property Name="accountid" Type="Edm.Guid" Nullable="false"/>
    <!-- <Property Name="commented" Type="Edm.String"/> -->
    <Property Name="name" Type="Edm.String"><Annotation Term="x" String="&lt;Property Name=&quot;no&quot;/>"/></Property>
    <NavigationProperty Name="primarycontactid" Type="mscrm.contact" Partner="x"><ReferentialConstraint Property="a"/></NavigationProperty>
  </EntityType>
  <ComplexType Name="address"><Property Name="city" Type="Edm.String"/></ComplexType>
  <EntityType Name="bag" OpenType="true"><Key><PropertyRef Name="a"/><PropertyRef Name="b"/></Key></EntityType>
  <EntityType Name="loop" BaseType="mscrm.loop"><Property Name="x" Type="Edm.Int32"/></EntityType>
  <EntityContainer Name="System">
    <EntitySet Name="accounts" EntityType="Microsoft.Dynamics.CRM.account"><NavigationPropertyBinding Path="a" Target="b"/></EntitySet>
    <EntitySet Name="bags" EntityType="mscrm.bag"/>
    <EntitySet Name="loops" EntityType="mscrm.loop"/>
    <EntitySet Name="lost" EntityType="mscrm.nowhere"/>
  </EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"#;

fn described(entity: &str) -> Option<EntityDescription> {
    describe(CRM, &[entity.to_owned()]).unwrap().entities.remove(entity)
}

#[test]
fn a_set_has_the_key_and_the_properties_of_its_type_and_of_those_it_inherits_from() {
    let account = described("accounts").unwrap();
    assert_eq!(account.key, ["accountid"]);
    let fields: Vec<_> = account.fields.iter().map(|(name, of_type)| format!("{name}: {of_type}")).collect();
    assert_eq!(fields, ["accountid: Edm.Guid", "name: Edm.String", "ownerid: Edm.Guid"]);
    assert_eq!(account.references, BTreeSet::from(["primarycontactid".to_owned()]));
    assert!(!account.is_open);
    let bag = described("bags").unwrap();
    assert_eq!((bag.key, bag.is_open), (vec!["a".to_owned(), "b".to_owned()], true));
}

#[test]
fn names_of_sets_are_told_and_a_set_of_an_unknown_or_circular_type_has_what_is_known() {
    let names: Vec<_> = describe(CRM, &[]).unwrap().names.into_iter().collect();
    assert_eq!(names, ["accounts", "bags", "loops", "lost"]);
    assert_eq!(described("account"), None);
    assert_eq!(described("lost"), Some(EntityDescription::default()));
    assert_eq!(described("loops").unwrap().fields.len(), 1);
}

#[test]
fn what_is_no_metadata_is_refused() {
    for (document, says) in [
        ("<html><body>login<br/></body></html>", "no entity set"),
        ("{}", "not XML at"),
        ("<a><b", "cut off"),
        (CRM.split_once("<EntityContainer").unwrap().0, "cut off"),
        ("", "no entity set"),
    ] {
        let why = describe(document, &[]).unwrap_err();
        assert!(why.contains(says), "{document}: {why}");
    }
}

#[test]
fn entities_are_not_expanded() {
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><EntitySet Name="&b;" EntityType="&b;"/>"#;
    let names = describe(bomb, &[]).unwrap().names;
    assert_eq!(names, BTreeSet::from(["&b;".to_owned()]));
}

#[test]
fn a_property_says_whether_it_is_required_how_long_it_may_be_and_whether_it_can_be_written() {
    let document = r#"<Edmx><Schema Namespace="App" Alias="a"><EntityType Name="T"><Key><PropertyRef Name="id"/></Key>
        <Property Name="id" Type="Edm.String" Nullable="false" MaxLength="20"/>
        <Property Name="state" Type="Edm.Int32" Nullable="false" DefaultValue="0"/>
        <Property Name="version" Type="Edm.Int64"><Annotation Term="Org.OData.Core.V1.Permissions">
          <EnumMember>Org.OData.Core.V1.PermissionType/Read</EnumMember></Annotation></Property>
        <Property Name="made" Type="Edm.Date"><Annotation Term="Org.OData.Core.V1.Computed"/></Property>
        <Property Name="open" Type="Edm.Date"><Annotation Term="Org.OData.Core.V1.Computed" Bool="false"/></Property>
        <Property Name="both" Type="Edm.Date"><Annotation Term="Org.OData.Core.V1.Permissions"
          EnumMember="Core.Permission/Read Core.Permission/Write"/></Property>
        <Property Name="aside" Type="Edm.Date"/>
        <Property Name="free" Type="Edm.String" MaxLength="max"/></EntityType>
        <Annotations Target="a.T/aside"><Annotation Term="Core.V1.Computed" Bool="true"/></Annotations>
        <EntityContainer Name="C"><EntitySet Name="ts" EntityType="App.T"/></EntityContainer></Schema></Edmx>"#;
    let facets = describe(document, &["ts".to_owned()]).unwrap().entities.remove("ts").unwrap().facets;
    let told = |name: &str, facets: &FieldFacets| {
        let FieldFacets { is_required, max_length, is_read_only } = *facets;
        format!("{name} {is_required} {max_length:?} {is_read_only}")
    };
    let told: Vec<_> = facets.iter().map(|(name, facets)| told(name, facets)).collect();
    assert_eq!(
        told,
        ["aside false None true", "id true Some(20) false", "made false None true", "version false None true"]
    );
}
