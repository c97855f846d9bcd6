// What a small business keeps on SAP CAP. Customers are named by company and number, and have no ETag; accounts have one.

aspect Terms {
  name        : String(60) @mandatory;
  creditLimit : Decimal(30, 10);
  employees   : Integer;
  blocked     : Boolean;
  since       : Date;
  reviewedAt  : DateTime;
  seenAt      : Timestamp;
  note        : String;
}

@path    : '/odata/v4/sales'
@requires: 'authenticated-user'
service Sales {

  entity Groups {
    key code : String(10);
        name : String(60);
  }

  entity Customers : Terms {
    key company : String(4);
    key number  : String(256);
        group   : Association to Groups @assert.target;
  }

  entity Accounts : Terms {
    key number     : String(256);
        group      : Association to Groups @assert.target;
        modifiedAt : Timestamp @odata.etag  @cds.on.insert: $now  @cds.on.update: $now;
  }

  // What was written, in the order in which it was.
  @readonly
  entity Journal {
    key seq    : Integer;
        entity : String(20);
        number : String(256);
        event  : String(10);
        user   : String(20);
        data   : LargeString;
  }
}
