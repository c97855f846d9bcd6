use super::super::super::flavor::FlavorName;
use super::*;

fn parse(name: FlavorName, path: &str) -> Result<Address, u16> {
    Address::parse(name.flavor(), path, true).map_err(|error| error.status().as_u16())
}

#[test]
fn a_key_may_hold_anything() {
    for (quoted, key) in [
        ("'C-1'", "C-1"),
        ("'O''Neil'", "O'Neil"),
        ("%27O%27%27Neil%27", "O'Neil"),
        ("'a/b'", "a/b"),
        ("'a%2Fb%23c%3Fd%25'", "a/b#c?d%"),
        ("'%C3%84%F0%9F%98%80'", "Ä😀"),
        ("'a+b%20c'", "a+b c"),
        ("''", ""),
        ("''''", "'"),
        ("')('", ")("),
        ("'a,b=''c'''", "a,b='c'"),
    ] {
        let account = parse(FlavorName::Crm, &format!("/api/data/v9.2/accounts(accountnumber={quoted})"));
        assert_eq!(account, Ok(Address::Entity(key.to_owned())), "{quoted}");
        for path in [
            format!("/data/CustomersV3(dataAreaId='usmf',CustomerAccount={quoted})"),
            format!("/data/CustomersV3(CustomerAccount={quoted},dataAreaId='USMF')"),
        ] {
            assert_eq!(parse(FlavorName::Finance, &path), Ok(Address::Entity(key.to_owned())), "{path}");
        }
    }
}

#[test]
fn a_customer_is_named_with_its_company_and_seen_across_companies_only_when_asked() {
    let finance = FlavorName::Finance.flavor();
    for (key, sees_all, wanted) in [
        ("(dataAreaId='usmf',CustomerAccount='C-1')", true, Ok(Address::Entity("C-1".to_owned()))),
        ("(dataAreaId='usmf',CustomerAccount='C-1')", false, Ok(Address::Elsewhere("C-1".to_owned()))),
        ("(dataAreaId='demf',CustomerAccount='C-1')", true, Ok(Address::Elsewhere("C-1".to_owned()))),
        ("(CustomerAccount='C-1')", true, Err(400)),
        ("('C-1')", true, Err(400)),
        ("('usmf','C-1')", true, Err(400)),
    ] {
        let parsed = Address::parse(finance, &format!("/data/CustomersV3{key}"), sees_all);
        assert_eq!(parsed.map_err(|error| error.status().as_u16()), wanted, "{key} {sees_all}");
    }
}

#[test]
fn an_account_is_named_by_its_guid_or_its_alternate_key() {
    let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let by_id = || Ok(Address::ById(guid.to_owned()));
    let contact = contacts::CONTACTS[0].id;
    for (path, wanted) in [
        (format!("accounts({guid})"), by_id()),
        (format!("accounts({})", guid.to_uppercase()), by_id()),
        (format!("accounts(accountid={guid})"), by_id()),
        ("accounts('C-1')".to_owned(), Err(400)),
        ("accounts(C-1)".to_owned(), Err(400)),
        ("accounts(name='C-1')".to_owned(), Err(400)),
        ("contacts".to_owned(), Ok(Address::Contacts)),
        (format!("contacts({contact})"), Ok(Address::Contact(Some(contact)))),
        ("contacts(externaluseridentifier='CP-1')".to_owned(), Ok(Address::Contact(Some(contact)))),
        (format!("contacts({guid})"), Ok(Address::Contact(None))),
        ("contacts(fullname='Ann')".to_owned(), Err(400)),
    ] {
        assert_eq!(parse(FlavorName::Crm, &format!("/api/data/v9.2/{path}")), wanted, "{path}");
    }
}

#[test]
fn what_is_not_an_address_is_refused() {
    for (path, status) in [
        ("/data/CustomersV3(C-1)", 400),
        ("/data/CustomersV3(dataAreaId='usmf',CustomerAccount='O'Neil')", 400),
        ("/data/CustomersV3('%FF')", 400),
        ("/data/CustomersV3('C-1'", 404),
        ("/data/CustomersV3/C-1", 404),
        ("/data/CustomersV3X", 404),
        ("/data/accounts", 404),
        ("/data/contacts", 404),
        ("/other", 404),
    ] {
        assert_eq!(parse(FlavorName::Finance, path), Err(status), "{path}");
    }
    assert_eq!(parse(FlavorName::Finance, "/data/"), Ok(Address::Service));
    assert_eq!(parse(FlavorName::Finance, "/data/CustomersV3"), Ok(Address::Set));
}

#[test]
fn the_address_of_a_record_leads_back_to_its_key() {
    for name in [FlavorName::Finance, FlavorName::Crm] {
        for key in ["C-1", "'", "a/b#c?d%e f+g", "Ä😀", "''x''"] {
            let path = entity_path(name.flavor(), key);
            assert!(path.is_ascii());
            assert_eq!(parse(name, &path), Ok(Address::Entity(key.to_owned())), "{path}");
        }
    }
    let id = entity_id("/api/data/v9.2", FlavorName::Crm.flavor(), "C-1");
    assert_eq!(parse(FlavorName::Crm, &id), Ok(Address::ById(store::id_of("C-1"))));
}
